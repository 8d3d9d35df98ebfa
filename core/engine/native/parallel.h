/// Work on all of the engine's threads.
#pragma once

#include <cstddef>
#include <functional>

namespace contexture {

/// Calls `work(i)` once for each i in [0, count), on this thread and on as many others as TF_NUM_INTRAOP_THREADS says, and
/// returns when all are done. Which thread gets which i is not fixed: results must not depend on it. `work` must not
/// throw. Calls that run at the same time share the threads.
void parallelFor(size_t count, const std::function<void(size_t)>& work);

}  // namespace contexture
