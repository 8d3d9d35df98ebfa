#include "tensors.h"

#include <cstring>
#include <string>

namespace contexture {

Shape readShape(const Napi::Value& value) {
  const Napi::Array array = value.As<Napi::Array>();
  Shape shape(array.Length());
  for (uint32_t i = 0; i < shape.size(); i++) shape[i] = array.Get(i).As<Napi::Number>().Int64Value();
  return shape;
}

Napi::Array writeShape(Napi::Env env, const Shape& shape) {
  Napi::Array array = Napi::Array::New(env, shape.size());
  for (uint32_t i = 0; i < shape.size(); i++) array.Set(i, Napi::Number::New(env, static_cast<double>(shape[i])));
  return array;
}

static bool fits(napi_typedarray_type array, TF_DataType type) {
  switch (type) {
    case TF_FLOAT:
      return array == napi_float32_array;
    case TF_INT32:
      return array == napi_int32_array;
    case TF_UINT8:
    case TF_BOOL:
      return array == napi_uint8_array;
    default:
      return false;
  }
}

Tensor copyToTensor(const Shape& shape, TF_DataType type, const Napi::Value& values) {
  if (!values.IsTypedArray() || !fits(values.As<Napi::TypedArray>().TypedArrayType(), type)) {
    throw std::runtime_error("createTensor: type " + std::to_string(type) + " cannot be made of these values");
  }
  const Napi::TypedArray array = values.As<Napi::TypedArray>();
  int64_t elements = 1;
  for (const int64_t side : shape) elements *= side;
  if (elements != static_cast<int64_t>(array.ElementLength())) {
    throw std::runtime_error("createTensor: " + std::to_string(array.ElementLength()) + " values for a shape of " +
                             std::to_string(elements));
  }
  const size_t bytes = array.ByteLength();
  Tensor tensor(TF_AllocateTensor(type, shape.data(), static_cast<int>(shape.size()), bytes));
  if (!tensor) throw std::runtime_error("createTensor: out of memory, failed to allocate " + std::to_string(bytes) + " bytes");
  if (bytes > 0) {
    const uint8_t* data = static_cast<const uint8_t*>(array.ArrayBuffer().Data()) + array.ByteOffset();
    std::memcpy(TF_TensorData(tensor.get()), data, bytes);
  }
  return tensor;
}

/// A bfloat16 is the upper half of a float32.
static void widen(const uint16_t* from, float* to, size_t count) {
  for (size_t i = 0; i < count; i++) {
    const uint32_t bits = static_cast<uint32_t>(from[i]) << 16;
    std::memcpy(to + i, &bits, sizeof bits);
  }
}

Napi::Value copyFromTensor(Napi::Env env, TF_Tensor* tensor) {
  const size_t count = static_cast<size_t>(TF_TensorElementCount(tensor));
  const void* data = TF_TensorData(tensor);
  const TF_DataType type = TF_TensorType(tensor);
  const auto copy = [&](auto array) -> Napi::Value {
    if (count > 0) std::memcpy(array.Data(), data, TF_TensorByteSize(tensor));
    return array;
  };
  switch (type) {
    case TF_FLOAT:
      return copy(Napi::Float32Array::New(env, count));
    case TF_INT32:
      return copy(Napi::Int32Array::New(env, count));
    case TF_UINT8:
    case TF_BOOL:
      return copy(Napi::Uint8Array::New(env, count));
    case TF_BFLOAT16: {
      Napi::Float32Array array = Napi::Float32Array::New(env, count);
      if (count > 0) widen(static_cast<const uint16_t*>(data), array.Data(), count);
      return array;
    }
    default:
      throw std::runtime_error("tensorDataSync: values of type " + std::to_string(type) + " cannot be read");
  }
}

double TensorTable::add(Handle handle) {
  handles_.emplace(next_, std::move(handle));
  return static_cast<double>(next_++);
}

TFE_TensorHandle* TensorTable::get(double id) const {
  const auto found = handles_.find(static_cast<int64_t>(id));
  if (found == handles_.end()) throw std::runtime_error("there is no tensor " + std::to_string(static_cast<int64_t>(id)));
  return found->second.get();
}

void TensorTable::remove(double id) {
  if (handles_.erase(static_cast<int64_t>(id)) == 0) {
    throw std::runtime_error("there is no tensor " + std::to_string(static_cast<int64_t>(id)) + " to delete");
  }
}

}  // namespace contexture
