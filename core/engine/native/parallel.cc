#include "parallel.h"

#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <thread>

namespace contexture {

/// Threads that sleep until there is work. Lives as long as the process: at its end they are asleep or cut off in work
/// whose result nobody waits for.
class Pool {
 public:
  static Pool& shared() {
    static Pool* pool = new Pool();
    return *pool;
  }

  void run(size_t count, const std::function<void(size_t)>& work) {
    const std::unique_lock<std::mutex> mine(one_at_a_time_, std::try_to_lock);
    if (!mine.owns_lock() || helpers_ == 0 || count < 2) {
      for (size_t i = 0; i < count; i++) work(i);
      return;
    }
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      work_ = &work;
      count_ = count;
      next_ = 0;
      busy_ = helpers_;
      round_++;
    }
    wake_.notify_all();
    takeItems(work, count);
    std::unique_lock<std::mutex> lock(mutex_);
    done_.wait(lock, [this] { return busy_ == 0; });
  }

 private:
  Pool() {
    const char* setting = std::getenv("TF_NUM_INTRAOP_THREADS");
    const int wanted = setting ? std::atoi(setting) : 0;
    const int threads = wanted > 0 ? wanted : static_cast<int>(std::thread::hardware_concurrency());
    for (int i = 1; i < threads; i++) {
      std::thread([this] { help(); }).detach();
      helpers_++;
    }
  }

  void takeItems(const std::function<void(size_t)>& work, size_t count) {
    for (size_t i = next_++; i < count; i = next_++) work(i);
  }

  void help() {
    size_t seen = 0;
    for (;;) {
      const std::function<void(size_t)>* work;
      size_t count;
      {
        std::unique_lock<std::mutex> lock(mutex_);
        wake_.wait(lock, [&] { return round_ != seen; });
        seen = round_;
        work = work_;
        count = count_;
      }
      takeItems(*work, count);
      const std::lock_guard<std::mutex> lock(mutex_);
      if (--busy_ == 0) done_.notify_one();
    }
  }

  std::mutex one_at_a_time_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable done_;
  const std::function<void(size_t)>* work_ = nullptr;
  size_t count_ = 0;
  /// Counts the calls of `run`, so that a thread takes part once in each.
  size_t round_ = 0;
  int busy_ = 0;
  int helpers_ = 0;
  std::atomic<size_t> next_{0};
};

void parallelFor(size_t count, const std::function<void(size_t)>& work) { Pool::shared().run(count, work); }

}  // namespace contexture
