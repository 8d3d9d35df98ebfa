#include "parallel.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <list>
#include <mutex>
#include <thread>

namespace contexture {

/// Threads that sleep until there is work. Several calls may be under way at once, as operations that do not need one
/// another are: together with their callers no more threads work than there are to be, and who has nothing left to do in
/// one call helps in another. Lives as long as the process: at its end they are asleep or cut off in work whose result
/// nobody waits for.
class Pool {
 public:
  static Pool& shared() {
    static Pool* pool = new Pool();
    return *pool;
  }

  void run(size_t count, const std::function<void(size_t)>& work) {
    if (threads_ == 1 || count < 2) {
      for (size_t i = 0; i < count; i++) work(i);
      return;
    }
    Call call{work, count};
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      calls_.push_back(&call);
      working_++;
    }
    wake_.notify_all();
    while (call.takeItem()) {
    }
    std::unique_lock<std::mutex> lock(mutex_);
    calls_.remove(&call);
    working_--;
    // There is room for a helper in another call.
    if (!calls_.empty()) wake_.notify_all();
    done_.wait(lock, [&] { return call.helpers == 0; });
  }

 private:
  struct Call {
    const std::function<void(size_t)>& work;
    const size_t count;
    int helpers = 0;
    std::atomic<size_t> next{0};

    /// False when none is left.
    bool takeItem() {
      const size_t item = next++;
      if (item >= count) return false;
      work(item);
      return true;
    }
  };

  Pool() {
    const char* setting = std::getenv("TF_NUM_INTRAOP_THREADS");
    const int wanted = setting ? std::atoi(setting) : 0;
    threads_ = std::max(1, wanted > 0 ? wanted : static_cast<int>(std::thread::hardware_concurrency()));
    for (int i = 1; i < threads_; i++) std::thread([this] { help(); }).detach();
  }

  void help() {
    std::unique_lock<std::mutex> lock(mutex_);
    for (;;) {
      wake_.wait(lock, [this] { return !calls_.empty() && working_ < threads_; });
      Call* call = calls_.front();
      call->helpers++;
      working_++;
      lock.unlock();
      // A caller who comes meanwhile takes this thread's place.
      bool left = true;
      while (left && working_ <= threads_) left = call->takeItem();
      lock.lock();
      working_--;
      if (!left) calls_.remove(call);
      if (--call->helpers == 0) done_.notify_all();
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable done_;
  /// Those that may have items left.
  std::list<Call*> calls_;
  /// Threads at items, callers included.
  std::atomic<int> working_{0};
  int threads_;
};

void parallelFor(size_t count, const std::function<void(size_t)>& work) { Pool::shared().run(count, work); }

}  // namespace contexture
