/// The bridge between Node and TensorFlow: what TensorFlow.js's Node backend calls of its own binding (eager operations,
/// tensors in and out), written anew, and functions made of recorded operations. One instance for each JavaScript
/// environment, used by its thread alone; nothing is shared between instances.
#include <napi.h>

#include <cstring>
#include <string>
#include <vector>

#include "attributes.h"
#include "filter_gradient.h"
#include "functions.h"
#include "kernel.h"
#include "tensorflow.h"
#include "tensors.h"
#include "winograd.h"

namespace contexture {

class Binding : public Napi::Addon<Binding> {
 public:
  Binding(Napi::Env env, Napi::Object exports) {
    registerAllKernels();
    startContext();
    const auto number = [&](double value) { return Napi::Number::New(env, value); };
    DefineAddon(exports, {
                             InstanceValue("TF_Version", Napi::String::New(env, TF_Version()), napi_enumerable),
                             InstanceValue("TF_FLOAT", number(TF_FLOAT), napi_enumerable),
                             InstanceValue("TF_INT32", number(TF_INT32), napi_enumerable),
                             InstanceValue("TF_INT64", number(TF_INT64), napi_enumerable),
                             InstanceValue("TF_UINT8", number(TF_UINT8), napi_enumerable),
                             InstanceValue("TF_BOOL", number(TF_BOOL), napi_enumerable),
                             InstanceValue("TF_BFLOAT16", number(TF_BFLOAT16), napi_enumerable),
                             InstanceValue("TF_COMPLEX64", number(TF_COMPLEX64), napi_enumerable),
                             InstanceValue("TF_STRING", number(TF_STRING), napi_enumerable),
                             InstanceValue("TF_RESOURCE", number(TF_RESOURCE), napi_enumerable),
                             InstanceValue("TF_ATTR_STRING", number(TF_ATTR_STRING), napi_enumerable),
                             InstanceValue("TF_ATTR_INT", number(TF_ATTR_INT), napi_enumerable),
                             InstanceValue("TF_ATTR_FLOAT", number(TF_ATTR_FLOAT), napi_enumerable),
                             InstanceValue("TF_ATTR_BOOL", number(TF_ATTR_BOOL), napi_enumerable),
                             InstanceValue("TF_ATTR_TYPE", number(TF_ATTR_TYPE), napi_enumerable),
                             InstanceValue("filterGradientPays", Napi::Boolean::New(env, filterGradientPays()),
                                           napi_enumerable),
                             InstanceValue("winogradLanes", number(winogradLanes()), napi_enumerable),
                             InstanceValue("winogradBfloat16", Napi::Boolean::New(env, winogradBfloat16()),
                                           napi_enumerable),
                             InstanceValue("winogradBfloat16Pays", Napi::Boolean::New(env, winogradBfloat16Pays()),
                                           napi_enumerable),
                             InstanceMethod<&Binding::createTensor>("createTensor"),
                             InstanceMethod<&Binding::deleteTensor>("deleteTensor"),
                             InstanceMethod<&Binding::tensorDataSync>("tensorDataSync"),
                             InstanceMethod<&Binding::executeOp>("executeOp"),
                             InstanceMethod<&Binding::getNumOfTensors>("getNumOfTensors"),
                             InstanceMethod<&Binding::isUsingGpuDevice>("isUsingGpuDevice"),
                             InstanceMethod<&Binding::operationDefinition>("operationDefinition"),
                             InstanceMethod<&Binding::defineFunction>("defineFunction"),
                             InstanceMethod<&Binding::removeFunction>("removeFunction"),
                         });
  }

 private:
  void startContext() {
    Status status;
    const ContextOptions options(TFE_NewContextOptions());
    context_.reset(TFE_NewContext(options.get(), status));
    status.check("TensorFlow's context");
    const DeviceList devices(TFE_ContextListDevices(context_.get(), status));
    status.check("TensorFlow's devices");
    for (int i = 0; i < TF_DeviceListCount(devices.get()); i++) {
      const char* type = TF_DeviceListType(devices.get(), i, status);
      status.check("TensorFlow's devices");
      const bool gpu = std::strcmp(type, "GPU") == 0;
      if (!gpu && (gpu_ || std::strcmp(type, "CPU") != 0)) continue;
      device_ = TF_DeviceListName(devices.get(), i, status);
      status.check("TensorFlow's devices");
      gpu_ = gpu;
    }
  }

  /// (shape, dtype, values) -> number of the tensor.
  Napi::Value createTensor(const Napi::CallbackInfo& info) {
    const TF_DataType type = static_cast<TF_DataType>(info[1].As<Napi::Number>().Int32Value());
    const Tensor tensor = copyToTensor(readShape(info[0]), type, info[2]);
    Status status;
    Handle handle(TFE_NewTensorHandle(tensor.get(), status));
    status.check("createTensor");
    // Kernels for a GPU take int32, mostly shapes and axes, from the host's memory.
    if (gpu_ && type != TF_INT32) {
      handle.reset(TFE_TensorHandleCopyToDevice(handle.get(), context_.get(), device_.c_str(), status));
      status.check("createTensor");
    }
    return Napi::Number::New(info.Env(), tensors_.add(std::move(handle)));
  }

  void deleteTensor(const Napi::CallbackInfo& info) { tensors_.remove(info[0].As<Napi::Number>().DoubleValue()); }

  /// (number of the tensor) -> typed array.
  Napi::Value tensorDataSync(const Napi::CallbackInfo& info) {
    Status status;
    const Tensor tensor(TFE_TensorHandleResolve(tensors_.get(info[0].As<Napi::Number>().DoubleValue()), status));
    status.check("tensorDataSync");
    return copyFromTensor(info.Env(), tensor.get());
  }

  /// (name, attributes, numbers of the inputs, count of outputs) -> [{ id, dtype, shape }].
  Napi::Value executeOp(const Napi::CallbackInfo& info) {
    const std::string name = info[0].As<Napi::String>().Utf8Value();
    // Outlive the call: TensorFlow keeps pointers to the names.
    const std::vector<Attribute> attributes = readAttributes(info[1]);
    Status status;
    const Operation operation(TFE_NewOp(context_.get(), name.c_str(), status));
    status.check(name);
    const Napi::Array inputs = info[2].As<Napi::Array>();
    for (uint32_t i = 0; i < inputs.Length(); i++) {
      TFE_OpAddInput(operation.get(), tensors_.get(inputs.Get(i).As<Napi::Number>().DoubleValue()), status);
      status.check(name);
    }
    for (const Attribute& attribute : attributes) setAttribute(operation.get(), attribute);
    int count = info[3].As<Napi::Number>().Int32Value();
    std::vector<TFE_TensorHandle*> results(count, nullptr);
    TFE_Execute(operation.get(), results.data(), &count, status);
    status.check(name);
    // Owned at once, before anything below can throw.
    std::vector<Handle> handles(results.begin(), results.begin() + count);
    Napi::Array outputs = Napi::Array::New(info.Env(), handles.size());
    for (uint32_t i = 0; i < handles.size(); i++) outputs.Set(i, describe(info.Env(), std::move(handles[i])));
    return outputs;
  }

  Napi::Object describe(Napi::Env env, Handle handle) {
    Status status;
    Shape shape(TFE_TensorHandleNumDims(handle.get(), status));
    status.check("shape");
    for (size_t i = 0; i < shape.size(); i++) shape[i] = TFE_TensorHandleDim(handle.get(), static_cast<int>(i), status);
    status.check("shape");
    Napi::Object output = Napi::Object::New(env);
    output.Set("dtype", Napi::Number::New(env, TFE_TensorHandleDataType(handle.get())));
    output.Set("shape", writeShape(env, shape));
    output.Set("id", Napi::Number::New(env, tensors_.add(std::move(handle))));
    return output;
  }

  Napi::Value getNumOfTensors(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), static_cast<double>(tensors_.size()));
  }

  Napi::Value isUsingGpuDevice(const Napi::CallbackInfo& info) { return Napi::Boolean::New(info.Env(), gpu_); }

  Napi::Value operationDefinition(const Napi::CallbackInfo& info) {
    return contexture::operationDefinition(info.Env(), info[0].As<Napi::String>().Utf8Value());
  }

  void defineFunction(const Napi::CallbackInfo& info) {
    contexture::defineFunction(context_.get(), tensors_, info[0].As<Napi::String>().Utf8Value(),
                               info[1].As<Napi::Object>());
  }

  void removeFunction(const Napi::CallbackInfo& info) {
    Status status;
    TFE_ContextRemoveFunction(context_.get(), info[0].As<Napi::String>().Utf8Value().c_str(), status);
    status.check("removeFunction");
  }

  Context context_;
  TensorTable tensors_;
  /// Where tensors live: the last GPU, else the processor.
  std::string device_;
  bool gpu_ = false;
};

NODE_API_ADDON(Binding)

}  // namespace contexture
