/// Operations of our own in TensorFlow, for the processor: a thin layer over the C API for kernels.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include "tensorflow.h"
// Leaves out one function that we do not call and whose header set-up does not unpack.
#define IS_SLIM_BUILD
#include "tensorflow/c/kernels.h"
#undef IS_SLIM_BUILD
#include "tensorflow/c/ops.h"
#include "tensors.h"

namespace contexture {

/// What one call of a kernel gets and gives. Everything is float32.
class KernelCall {
 public:
  explicit KernelCall(TF_OpKernelContext* context) : context_(context) {}

  /// Values of an input, alive until the call ends.
  const float* input(int index) { return static_cast<const float*>(TF_TensorData(tensor(index))); }
  int64_t elements(int index) { return TF_TensorElementCount(tensor(index)); }
  Shape shape(int index);

  /// A fresh output.
  float* output(int index, const Shape& shape);
  /// An output in the place of an input that nobody else needs, else a fresh one. Call it before anything else that
  /// touches that input; `taken` says whether the input's values are overwritten as the output is written.
  float* outputOver(int input, int index, const Shape& shape, bool& taken);

 private:
  TF_Tensor* tensor(int index);
  float* keep(TF_Tensor* tensor);

  TF_OpKernelContext* context_;
  std::vector<std::pair<int, Tensor>> inputs_;
  std::vector<Tensor> outputs_;
};

/// Registers an operation with one kernel for the processor.
/// `Kernel` has `name`, the lists `inputs`, `outputs`, `attributes` of TensorFlow's specs, `shapes` for shape inference, a
/// constructor from `TF_OpKernelConstruction*`, and `compute(KernelCall&) const`, which several threads may call at once.
template <typename Kernel>
void registerKernel() {
  TF_OpDefinitionBuilder* definition = TF_NewOpDefinitionBuilder(Kernel::name);
  for (const char* spec : Kernel::inputs) TF_OpDefinitionBuilderAddInput(definition, spec);
  for (const char* spec : Kernel::outputs) TF_OpDefinitionBuilderAddOutput(definition, spec);
  for (const char* spec : Kernel::attributes) TF_OpDefinitionBuilderAddAttr(definition, spec);
  TF_OpDefinitionBuilderSetShapeInferenceFunction(definition, &Kernel::shapes);
  Status status;
  TF_RegisterOpDefinition(definition, status);
  status.check(Kernel::name);
  TF_KernelBuilder* kernel = TF_NewKernelBuilder(
      Kernel::name, "CPU",
      [](TF_OpKernelConstruction* construction) -> void* { return new Kernel(construction); },
      [](void* self, TF_OpKernelContext* context) {
        try {
          KernelCall call(context);
          static_cast<Kernel*>(self)->compute(call);
        } catch (const std::exception& error) {
          Status failure;
          TF_SetStatus(failure, TF_INTERNAL, error.what());
          TF_OpKernelContext_Failure(context, failure);
        }
      },
      [](void* self) { delete static_cast<Kernel*>(self); });
  TF_RegisterKernelBuilder(Kernel::name, kernel, status);
  status.check(Kernel::name);
}

/// For `shapes`: output `to` has the shape of input `from`.
void sameShape(TF_ShapeInferenceContext* context, int from, int to, TF_Status* status);

bool attributeBool(TF_OpKernelConstruction* construction, const char* name);
int64_t attributeInt(TF_OpKernelConstruction* construction, const char* name);
float attributeFloat(TF_OpKernelConstruction* construction, const char* name);

/// Registers all of them; later calls in the same process do nothing.
void registerKernels();

}  // namespace contexture
