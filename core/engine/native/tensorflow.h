/// TensorFlow's C types with owners: what is acquired here is released on every way out, exceptions included.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>

#include "tensorflow/c/c_api.h"
#include "tensorflow/c/eager/c_api.h"

namespace contexture {

template <typename T, void (*release)(T*)>
struct Release {
  void operator()(T* pointer) const { release(pointer); }
};
template <typename T, void (*release)(T*)>
using Owned = std::unique_ptr<T, Release<T, release>>;

using Buffer = Owned<TF_Buffer, TF_DeleteBuffer>;
using Context = Owned<TFE_Context, TFE_DeleteContext>;
using ContextOptions = Owned<TFE_ContextOptions, TFE_DeleteContextOptions>;
using DeviceList = Owned<TF_DeviceList, TF_DeleteDeviceList>;
using Function = Owned<TF_Function, TF_DeleteFunction>;
using Graph = Owned<TF_Graph, TF_DeleteGraph>;
using Handle = Owned<TFE_TensorHandle, TFE_DeleteTensorHandle>;
using Operation = Owned<TFE_Op, TFE_DeleteOp>;
using Tensor = Owned<TF_Tensor, TF_DeleteTensor>;

/// The result of a C call: passed to it, then checked.
class Status {
 public:
  Status() : status_(TF_NewStatus()) {}
  operator TF_Status*() const { return status_.get(); }

  /// Throws TensorFlow's message, after the name of what was being done, unless the last call went well.
  void check(const std::string& work) const {
    if (TF_GetCode(status_.get()) != TF_OK) throw std::runtime_error(work + ": " + TF_Message(status_.get()));
  }

 private:
  Owned<TF_Status, TF_DeleteStatus> status_;
};

}  // namespace contexture
