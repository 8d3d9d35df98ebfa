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

void setAttribute(TFE_Op* operation, const Attribute& attribute) {
  const char* name = attribute.name.c_str();
  std::visit(
      [&](const auto& value) {
        using T = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<T, std::string>) TFE_OpSetAttrString(operation, name, value.data(), value.size());
        else if constexpr (std::is_same_v<T, int64_t>) TFE_OpSetAttrInt(operation, name, value);
        else if constexpr (std::is_same_v<T, float>) TFE_OpSetAttrFloat(operation, name, value);
        else if constexpr (std::is_same_v<T, bool>) TFE_OpSetAttrBool(operation, name, value);
        else if constexpr (std::is_same_v<T, TF_DataType>) TFE_OpSetAttrType(operation, name, value);
        else if constexpr (std::is_same_v<T, std::vector<int64_t>>)
          TFE_OpSetAttrIntList(operation, name, value.data(), static_cast<int>(value.size()));
        else if constexpr (std::is_same_v<T, std::vector<float>>)
          TFE_OpSetAttrFloatList(operation, name, value.data(), static_cast<int>(value.size()));
        else TFE_OpSetAttrBoolList(operation, name, value.data(), static_cast<int>(value.size()));
      },
      attribute.value);
}

void setAttribute(TF_OperationDescription* node, const Attribute& attribute) {
  const char* name = attribute.name.c_str();
  std::visit(
      [&](const auto& value) {
        using T = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<T, std::string>) TF_SetAttrString(node, name, value.data(), value.size());
        else if constexpr (std::is_same_v<T, int64_t>) TF_SetAttrInt(node, name, value);
        else if constexpr (std::is_same_v<T, float>) TF_SetAttrFloat(node, name, value);
        else if constexpr (std::is_same_v<T, bool>) TF_SetAttrBool(node, name, value);
        else if constexpr (std::is_same_v<T, TF_DataType>) TF_SetAttrType(node, name, value);
        else if constexpr (std::is_same_v<T, std::vector<int64_t>>)
          TF_SetAttrIntList(node, name, value.data(), static_cast<int>(value.size()));
        else if constexpr (std::is_same_v<T, std::vector<float>>)
          TF_SetAttrFloatList(node, name, value.data(), static_cast<int>(value.size()));
        else TF_SetAttrBoolList(node, name, value.data(), static_cast<int>(value.size()));
      },
      attribute.value);
}

}  // namespace contexture
