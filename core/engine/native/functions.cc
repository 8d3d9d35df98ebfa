#include "functions.h"

#include <vector>

#include "attributes.h"

namespace contexture {

/// A graph in the making.
class Builder {
 public:
  explicit Builder(const TensorTable& tensors) : tensors_(tensors), graph_(TF_NewGraph()) {}

  void addArgument(const Napi::Object& argument) {
    TF_OperationDescription* node = start("Placeholder");
    TF_SetAttrType(node, "dtype", static_cast<TF_DataType>(argument.Get("dtype").As<Napi::Number>().Int32Value()));
    const Shape shape = readShape(argument.Get("shape"));
    TF_SetAttrShape(node, "shape", shape.data(), static_cast<int>(shape.size()));
    arguments_.push_back({finish(node, "Placeholder"), 0});
  }

  void addNode(const Napi::Object& object) {
    const std::string op = object.Get("op").As<Napi::String>().Utf8Value();
    TF_OperationDescription* node = start(op);
    if (object.Has("constant")) setConstant(node, object.Get("constant").As<Napi::Number>().DoubleValue());
    for (const Attribute& attribute : readAttributes(object.Get("attributes"))) setAttribute(node, attribute);
    const Napi::Array inputs = object.Get("inputs").As<Napi::Array>();
    for (uint32_t i = 0; i < inputs.Length(); i++) addInput(node, inputs.Get(i).As<Napi::Array>());
    finish(node, op);
  }

  Function toFunction(const std::string& name, const Napi::Array& outputs) const {
    const std::vector<TF_Output> results = readOutputs(outputs);
    Status status;
    Function function(TF_GraphToFunction(graph_.get(), name.c_str(), 0, -1, nullptr, static_cast<int>(arguments_.size()),
                                         arguments_.data(), static_cast<int>(results.size()), results.data(), nullptr,
                                         nullptr, nullptr, status));
    status.check("function " + name);
    return function;
  }

 private:
  TF_OperationDescription* start(const std::string& op) {
    return TF_NewOperation(graph_.get(), op.c_str(), ("n" + std::to_string(nodes_.size())).c_str());
  }

  TF_Operation* finish(TF_OperationDescription* node, const std::string& op) {
    Status status;
    TF_Operation* operation = TF_FinishOperation(node, status);
    status.check(op);
    nodes_.push_back(operation);
    return operation;
  }

  void setConstant(TF_OperationDescription* node, double id) const {
    Status status;
    const Tensor tensor(TFE_TensorHandleResolve(tensors_.get(id), status));
    status.check("Const");
    TF_SetAttrTensor(node, "value", tensor.get(), status);
    status.check("Const");
    TF_SetAttrType(node, "dtype", TF_TensorType(tensor.get()));
  }

  void addInput(TF_OperationDescription* node, const Napi::Array& input) const {
    if (input.Length() > 0 && input.Get(0u).IsNumber()) {
      TF_AddInput(node, readOutput(input));
    } else {
      const std::vector<TF_Output> list = readOutputs(input);
      TF_AddInputList(node, list.data(), static_cast<int>(list.size()));
    }
  }

  std::vector<TF_Output> readOutputs(const Napi::Array& refs) const {
    std::vector<TF_Output> outputs(refs.Length());
    for (uint32_t i = 0; i < outputs.size(); i++) outputs[i] = readOutput(refs.Get(i).As<Napi::Array>());
    return outputs;
  }

  TF_Output readOutput(const Napi::Array& ref) const {
    return {nodes_.at(ref.Get(0u).As<Napi::Number>().Uint32Value()), ref.Get(1u).As<Napi::Number>().Int32Value()};
  }

  const TensorTable& tensors_;
  Graph graph_;
  std::vector<TF_Operation*> nodes_;
  std::vector<TF_Output> arguments_;
};

void defineFunction(TFE_Context* context, const TensorTable& tensors, const std::string& name,
                    const Napi::Object& description) {
  Builder builder(tensors);
  const Napi::Array arguments = description.Get("arguments").As<Napi::Array>();
  for (uint32_t i = 0; i < arguments.Length(); i++) builder.addArgument(arguments.Get(i).As<Napi::Object>());
  const Napi::Array nodes = description.Get("nodes").As<Napi::Array>();
  for (uint32_t i = 0; i < nodes.Length(); i++) {
    // Handles to this node's parts are released with the node, not at the end of thousands.
    const Napi::HandleScope scope(description.Env());
    builder.addNode(nodes.Get(i).As<Napi::Object>());
  }
  const Function function = builder.toFunction(name, description.Get("outputs").As<Napi::Array>());
  Status status;
  TFE_ContextAddFunction(context, function.get(), status);
  status.check("function " + name);
}

Napi::Value operationDefinition(Napi::Env env, const std::string& name) {
  const Graph graph(TF_NewGraph());
  const Buffer buffer(TF_NewBuffer());
  Status status;
  TF_GraphGetOpDef(graph.get(), name.c_str(), buffer.get(), status);
  status.check(name);
  return Napi::Buffer<uint8_t>::Copy(env, static_cast<const uint8_t*>(buffer->data), buffer->length);
}

}  // namespace contexture
