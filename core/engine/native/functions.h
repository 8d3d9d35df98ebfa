/// TensorFlow functions made from a list of operations: what `trace` (core/engine/trace.ts) recorded.
#pragma once

#include <napi.h>

#include <string>

#include "tensorflow.h"
#include "tensors.h"

namespace contexture {

/// Builds a function and makes it known to `context`, where it is then run like an operation of that name.
///
/// `description` is `{ arguments: [{ dtype, shape }], nodes: [{ op, attributes, inputs, constant? }], outputs: [ref] }`.
/// A ref is `[node, output]`; arguments count as the first nodes. An entry of `inputs` is a ref, or a list of refs where
/// the operation takes a list. A node with `constant` is that tensor of the table, by number.
void defineFunction(TFE_Context* context, const TensorTable& tensors, const std::string& name,
                    const Napi::Object& description);

/// The serialised OpDef of an operation: what inputs it takes.
Napi::Value operationDefinition(Napi::Env env, const std::string& name);

}  // namespace contexture
