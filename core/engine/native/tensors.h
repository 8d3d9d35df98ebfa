/// Tensors between JavaScript and TensorFlow, and the table of those that JavaScript holds.
#pragma once

#include <napi.h>

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "tensorflow.h"

namespace contexture {

using Shape = std::vector<int64_t>;

Shape readShape(const Napi::Value& value);
Napi::Array writeShape(Napi::Env env, const Shape& shape);

/// A host tensor with a copy of a typed array's values: Float32Array for float, Int32Array for int32, Uint8Array for
/// uint8 and bool. Never shares memory with JavaScript, whose garbage collector and typed arrays know nothing of it.
Tensor copyToTensor(const Shape& shape, TF_DataType type, const Napi::Value& values);

/// A fresh typed array with a copy of a host tensor's values. bfloat16 comes as the Float32Array of the same numbers.
Napi::Value copyFromTensor(Napi::Env env, TF_Tensor* tensor);

/// The tensors that JavaScript holds, by number. A number is never used twice: at a billion tensors a second, doubles
/// count exactly for three months.
class TensorTable {
 public:
  double add(Handle handle);
  TFE_TensorHandle* get(double id) const;
  void remove(double id);
  size_t size() const { return handles_.size(); }

 private:
  std::unordered_map<int64_t, Handle> handles_;
  int64_t next_ = 0;
};

}  // namespace contexture
