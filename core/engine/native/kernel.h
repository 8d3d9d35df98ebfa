/// Operations of our own in TensorFlow, for the processor: a thin layer over the C API for kernels.
#pragma once

#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include "tensorflow.h"
// Leaves out one function that we do not call and whose header set-up does not unpack.
#define IS_SLIM_BUILD
#include "tensorflow/c/kernels.h"
#undef IS_SLIM_BUILD
#include "tensorflow/c/ops.h"
#include "tensors.h"

namespace contexture {

/// TensorFlow's type of the values that a kernel stores as E.
template <typename E>
constexpr TF_DataType typeOf() {
  if constexpr (std::is_same_v<E, uint16_t>) return TF_BFLOAT16;
  else return TF_FLOAT;
}

/// What one call of a kernel gets and gives.
class KernelCall {
 public:
  explicit KernelCall(TF_OpKernelContext* context) : context_(context) {}

  /// Values of an input, alive until the call ends.
  template <typename E = float>
  const E* input(int index) {
    return static_cast<const E*>(TF_TensorData(tensor(index)));
  }
  int64_t elements(int index) { return TF_TensorElementCount(tensor(index)); }
  Shape shape(int index);

  /// A fresh output.
  template <typename E = float>
  E* output(int index, const Shape& shape) {
    return static_cast<E*>(allocate(index, shape, typeOf<E>()));
  }
  /// An output in the place of an input that nobody else needs, else a fresh one. Call it before anything else that
  /// touches that input; `taken` says whether the input's values are overwritten as the output is written.
  template <typename E = float>
  E* outputOver(int input, int index, const Shape& shape, bool& taken) {
    return static_cast<E*>(allocateOver(input, index, shape, taken));
  }

 private:
  TF_Tensor* tensor(int index);
  void* allocate(int index, const Shape& shape, TF_DataType type);
  void* allocateOver(int input, int index, const Shape& shape, bool& taken);
  void* keep(TF_Tensor* tensor);

  TF_OpKernelContext* context_;
  std::vector<std::pair<int, Tensor>> inputs_;
  std::vector<Tensor> outputs_;
};

/// A kernel is a class with `name`, the lists `inputs`, `outputs`, `attributes` of TensorFlow's specs, `shapes` for shape
/// inference, `Element`, a constructor from `TF_OpKernelConstruction*`, and `compute(KernelCall&) const`, which several
/// threads may call at once. This registers it for the processor and for tensors of its Element, where it has a T.
template <typename Kernel>
void registerKernel(bool hasType) {
  TF_KernelBuilder* kernel = TF_NewKernelBuilder(
      Kernel::name, "CPU",
      [](TF_OpKernelConstruction* construction) -> void* { return new Kernel(construction); },
      [](void* self, TF_OpKernelContext* context) {
        try {
          KernelCall call(context);
          static_cast<const Kernel*>(self)->compute(call);
        } catch (const std::exception& error) {
          Status failure;
          TF_SetStatus(failure, TF_INTERNAL, error.what());
          TF_OpKernelContext_Failure(context, failure);
        }
      },
      [](void* self) { delete static_cast<Kernel*>(self); });
  Status status;
  if (hasType) TF_KernelBuilder_TypeConstraint(kernel, "T", typeOf<typename Kernel::Element>(), status);
  status.check(Kernel::name);
  TF_RegisterKernelBuilder(Kernel::name, kernel, status);
  status.check(Kernel::name);
}

/// Registers an operation and its kernels, one for each element type.
template <typename First, typename... Others>
void registerKernels() {
  TF_OpDefinitionBuilder* definition = TF_NewOpDefinitionBuilder(First::name);
  for (const char* spec : First::inputs) TF_OpDefinitionBuilderAddInput(definition, spec);
  for (const char* spec : First::outputs) TF_OpDefinitionBuilderAddOutput(definition, spec);
  for (const char* spec : First::attributes) TF_OpDefinitionBuilderAddAttr(definition, spec);
  TF_OpDefinitionBuilderSetShapeInferenceFunction(definition, &First::shapes);
  Status status;
  TF_RegisterOpDefinition(definition, status);
  status.check(First::name);
  registerKernel<First>(sizeof...(Others) > 0);
  (registerKernel<Others>(true), ...);
}

/// For `shapes`: output `to` has the shape of input `from`.
void sameShape(TF_ShapeInferenceContext* context, int from, int to, TF_Status* status);

bool attributeBool(TF_OpKernelConstruction* construction, const char* name);
int64_t attributeInt(TF_OpKernelConstruction* construction, const char* name);
float attributeFloat(TF_OpKernelConstruction* construction, const char* name);

/// Registers all of them; later calls in the same process do nothing.
void registerAllKernels();

}  // namespace contexture
