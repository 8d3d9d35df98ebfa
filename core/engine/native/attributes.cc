#include "attributes.h"

#include <type_traits>

namespace contexture {

template <typename T, typename Read>
static std::vector<T> readList(const Napi::Value& value, Read read) {
  const Napi::Array array = value.As<Napi::Array>();
  std::vector<T> list(array.Length());
  for (uint32_t i = 0; i < list.size(); i++) list[i] = read(array.Get(i));
  return list;
}

static Attribute readAttribute(const Napi::Object& object) {
  Attribute attribute;
  attribute.name = object.Get("name").As<Napi::String>().Utf8Value();
  const int kind = object.Get("type").As<Napi::Number>().Int32Value();
  const Napi::Value value = object.Get("value");
  const auto integer = [](const Napi::Value& item) { return item.As<Napi::Number>().Int64Value(); };
  const auto real = [](const Napi::Value& item) { return item.As<Napi::Number>().FloatValue(); };
  const auto truth = [](const Napi::Value& item) { return item.As<Napi::Boolean>().Value(); };
  switch (kind) {
    case TF_ATTR_STRING:
      attribute.value = value.As<Napi::String>().Utf8Value();
      break;
    case TF_ATTR_INT:
      if (value.IsArray()) attribute.value = readList<int64_t>(value, integer);
      else attribute.value = integer(value);
      break;
    case TF_ATTR_FLOAT:
      if (value.IsArray()) attribute.value = readList<float>(value, real);
      else attribute.value = real(value);
      break;
    case TF_ATTR_BOOL:
      if (value.IsArray()) attribute.value = readList<uint8_t>(value, truth);
      else attribute.value = truth(value);
      break;
    case TF_ATTR_TYPE:
      attribute.value = static_cast<TF_DataType>(integer(value));
      break;
    default:
      throw std::runtime_error("attribute " + attribute.name + ": kind " + std::to_string(kind) + " is not supported");
  }
  return attribute;
}

std::vector<Attribute> readAttributes(const Napi::Value& value) {
  const Napi::Array array = value.As<Napi::Array>();
  std::vector<Attribute> attributes;
  attributes.reserve(array.Length());
  for (uint32_t i = 0; i < array.Length(); i++) attributes.push_back(readAttribute(array.Get(i).As<Napi::Object>()));
  return attributes;
}

/// The eager and the graph functions have one form each; this calls the one for the attribute's kind.
template <auto string, auto integer, auto real, auto truth, auto type, auto integers, auto reals, auto truths, typename Target>
static void set(Target* target, const Attribute& attribute) {
  const char* name = attribute.name.c_str();
  std::visit(
      [&](const auto& value) {
        using T = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<T, std::string>) string(target, name, value.data(), value.size());
        else if constexpr (std::is_same_v<T, int64_t>) integer(target, name, value);
        else if constexpr (std::is_same_v<T, float>) real(target, name, value);
        else if constexpr (std::is_same_v<T, bool>) truth(target, name, value);
        else if constexpr (std::is_same_v<T, TF_DataType>) type(target, name, value);
        else if constexpr (std::is_same_v<T, std::vector<int64_t>>)
          integers(target, name, value.data(), static_cast<int>(value.size()));
        else if constexpr (std::is_same_v<T, std::vector<float>>)
          reals(target, name, value.data(), static_cast<int>(value.size()));
        else truths(target, name, value.data(), static_cast<int>(value.size()));
      },
      attribute.value);
}

void setAttribute(TFE_Op* operation, const Attribute& attribute) {
  set<TFE_OpSetAttrString, TFE_OpSetAttrInt, TFE_OpSetAttrFloat, TFE_OpSetAttrBool, TFE_OpSetAttrType,
      TFE_OpSetAttrIntList, TFE_OpSetAttrFloatList, TFE_OpSetAttrBoolList>(operation, attribute);
}

void setAttribute(TF_OperationDescription* node, const Attribute& attribute) {
  set<TF_SetAttrString, TF_SetAttrInt, TF_SetAttrFloat, TF_SetAttrBool, TF_SetAttrType, TF_SetAttrIntList,
      TF_SetAttrFloatList, TF_SetAttrBoolList>(node, attribute);
}

}  // namespace contexture
