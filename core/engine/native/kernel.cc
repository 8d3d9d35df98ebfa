#include "kernel.h"

#include <mutex>

#include "batch_norm.h"
#include "depthwise_gradient.h"
#include "filter_gradient.h"
#include "winograd.h"

namespace contexture {

TF_Tensor* KernelCall::tensor(int index) {
  for (const auto& [known, tensor] : inputs_) {
    if (known == index) return tensor.get();
  }
  Status status;
  TF_Tensor* tensor = nullptr;
  TF_GetInput(context_, index, &tensor, status);
  status.check("input");
  inputs_.emplace_back(index, Tensor(tensor));
  return tensor;
}

Shape KernelCall::shape(int index) {
  Shape shape(TF_NumDims(tensor(index)));
  for (size_t i = 0; i < shape.size(); i++) shape[i] = TF_Dim(tensor(index), static_cast<int>(i));
  return shape;
}

void* KernelCall::keep(TF_Tensor* tensor) {
  outputs_.emplace_back(tensor);
  return TF_TensorData(tensor);
}

void* KernelCall::allocate(int index, const Shape& shape, TF_DataType type) {
  size_t bytes = TF_DataTypeSize(type);
  for (const int64_t side : shape) bytes *= side;
  Status status;
  TF_Tensor* tensor =
      TF_AllocateOutput(context_, index, type, shape.data(), static_cast<int>(shape.size()), bytes, status);
  status.check("output");
  return keep(tensor);
}

void* KernelCall::allocateOver(int input, int index, const Shape& shape, bool& taken) {
  Status status;
  int forwarded = -1;
  TF_Tensor* tensor = TF_ForwardInputOrAllocateOutput(context_, &input, 1, index, shape.data(),
                                                      static_cast<int>(shape.size()), &forwarded, status);
  status.check("output");
  taken = forwarded == input;
  return keep(tensor);
}

void sameShape(TF_ShapeInferenceContext* context, int from, int to, TF_Status* status) {
  const Owned<TF_ShapeHandle, TF_DeleteShapeHandle> shape(TF_NewShapeHandle());
  TF_ShapeInferenceContextGetInput(context, from, shape.get(), status);
  if (TF_GetCode(status) == TF_OK) TF_ShapeInferenceContextSetOutput(context, to, shape.get(), status);
}

bool attributeBool(TF_OpKernelConstruction* construction, const char* name) {
  Status status;
  TF_Bool value = 0;
  TF_OpKernelConstruction_GetAttrBool(construction, name, &value, status);
  return value != 0;
}

int64_t attributeInt(TF_OpKernelConstruction* construction, const char* name) {
  Status status;
  int64_t value = 0;
  TF_OpKernelConstruction_GetAttrInt64(construction, name, &value, status);
  return value;
}

float attributeFloat(TF_OpKernelConstruction* construction, const char* name) {
  Status status;
  float value = 0;
  TF_OpKernelConstruction_GetAttrFloat(construction, name, &value, status);
  return value;
}

void registerAllKernels() {
  static std::once_flag once;
  std::call_once(once, [] {
    registerBatchNorm();
    registerDepthwiseGradient();
    registerFilterGradient();
    registerWinograd();
    registerWinogradGradient();
  });
}

}  // namespace contexture
