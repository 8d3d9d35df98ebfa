/// Attributes of operations, read once from JavaScript and set on an eager operation or on a node of a graph.
#pragma once

#include <napi.h>

#include <string>
#include <variant>
#include <vector>

#include "tensorflow.h"

namespace contexture {

struct Attribute {
  std::string name;
  /// The last three are lists of int, float and bool.
  std::variant<std::string, int64_t, float, bool, TF_DataType, std::vector<int64_t>, std::vector<float>,
               std::vector<uint8_t>>
      value;
};

/// `{ name, type, value }`, as TensorFlow.js's backend writes them.
std::vector<Attribute> readAttributes(const Napi::Value& value);

void setAttribute(TFE_Op* operation, const Attribute& attribute);
void setAttribute(TF_OperationDescription* node, const Attribute& attribute);

}  // namespace contexture
