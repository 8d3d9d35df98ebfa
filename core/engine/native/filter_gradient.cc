#include "filter_gradient.h"

#include <algorithm>
#include <vector>

#include "kernel.h"
#include "parallel.h"

namespace contexture {
namespace {

/// Sums are taken over this many parts of the batch and then in order: they do not depend on the number of threads.
constexpr int64_t PARTS = 8;
/// Output pixels between two visits to memory with the sums: their inputs fit a core's own cache.
constexpr int64_t PIXELS_A_TILE = 256;

struct Sizes {
  int64_t batch, height, width, in;
  int64_t out_height, out_width, out;
  int64_t kernel, stride, padding;
};

#if defined(__x86_64__)

#define INLINE inline __attribute__((always_inline))

/// Eight floats anywhere in memory.
typedef float Eight __attribute__((vector_size(32), aligned(4), may_alias));

/// One position of the kernel, over some rows of one picture's output.
struct Window {
  int64_t first_row, last_row;
  /// Row of the kernel.
  int64_t kernel_row;
  /// Input column of output column 0, in front of the picture where negative.
  int64_t left;
  /// Output columns whose input column is in the picture.
  int64_t first_column, last_column;
};

/// sums[i][o] += sum over the pixels of x[i] dy[o] for IN input and 8 VECTORS output channels, held in registers.
template <int IN, int VECTORS>
INLINE void addTile(const Sizes& s, const Window& w, const float* x, const float* dy, float* sums) {
  Eight sum[IN][VECTORS];
#pragma GCC unroll 8
  for (int i = 0; i < IN; i++) {
#pragma GCC unroll 8
    for (int v = 0; v < VECTORS; v++) sum[i][v] = *reinterpret_cast<const Eight*>(sums + i * s.out + v * 8);
  }
  for (int64_t row = w.first_row; row < w.last_row; row++) {
    const int64_t in_row = row * s.stride + w.kernel_row - s.padding;
    if (in_row < 0 || in_row >= s.height) continue;
    const float* from = x + (in_row * s.width + w.first_column * s.stride + w.left) * s.in;
    const float* gradient = dy + (row * s.out_width + w.first_column) * s.out;
    for (int64_t column = w.first_column; column < w.last_column; column++) {
      Eight g[VECTORS];
#pragma GCC unroll 8
      for (int v = 0; v < VECTORS; v++) g[v] = *reinterpret_cast<const Eight*>(gradient + v * 8);
#pragma GCC unroll 8
      for (int i = 0; i < IN; i++) {
#pragma GCC unroll 8
        for (int v = 0; v < VECTORS; v++) sum[i][v] += g[v] * from[i];
      }
      from += s.stride * s.in;
      gradient += s.out;
    }
  }
#pragma GCC unroll 8
  for (int i = 0; i < IN; i++) {
#pragma GCC unroll 8
    for (int v = 0; v < VECTORS; v++) *reinterpret_cast<Eight*>(sums + i * s.out + v * 8) = sum[i][v];
  }
}

/// The last `count` input channels, MOST or fewer.
template <int MOST, int VECTORS>
INLINE void addRest(const Sizes& s, const Window& w, int64_t count, const float* x, const float* dy, float* sums) {
  if constexpr (MOST > 0) {
    if (count == MOST) addTile<MOST, VECTORS>(s, w, x, dy, sums);
    else addRest<MOST - 1, VECTORS>(s, w, count, x, dy, sums);
  }
}

/// All input channels, six at a time: with two vectors each that keeps both multipliers of a core busy.
template <int VECTORS>
INLINE void addInputs(const Sizes& s, const Window& w, const float* x, const float* dy, float* sums) {
  int64_t i = 0;
  for (; i + 6 <= s.in; i += 6) addTile<6, VECTORS>(s, w, x + i, dy, sums + i * s.out);
  addRest<5, VECTORS>(s, w, s.in - i, x + i, dy, sums + i * s.out);
}

/// Adds what one picture has to say; `sums` is laid out like the kernel.
__attribute__((target("avx2,fma"))) void addPicture(const Sizes& s, const float* x, const float* dy, float* sums) {
  const int64_t rows = std::max<int64_t>(1, PIXELS_A_TILE / s.out_width);
  for (int64_t row = 0; row < s.out_height; row += rows) {
    for (int64_t ky = 0; ky < s.kernel; ky++) {
      for (int64_t kx = 0; kx < s.kernel; kx++) {
        Window w{row, std::min(s.out_height, row + rows), ky, kx - s.padding, 0, s.out_width};
        while (w.first_column < w.last_column && w.first_column * s.stride + w.left < 0) w.first_column++;
        while (w.last_column > w.first_column && (w.last_column - 1) * s.stride + w.left >= s.width) w.last_column--;
        float* at = sums + (ky * s.kernel + kx) * s.in * s.out;
        int64_t o = 0;
        for (; o + 16 <= s.out; o += 16) addInputs<2>(s, w, x, dy + o, at + o);
        if (o < s.out) addInputs<1>(s, w, x, dy + o, at + o);
      }
    }
  }
}

#else

void addPicture(const Sizes&, const float*, const float*, float*) {
  throw std::runtime_error("ContextureFilterGrad is for x86-64");
}

#endif

/// dk[y][x][i][o] = sum over pictures and output pixels of the input pixel under that position times dy.
class FilterGradient {
 public:
  using Element = float;
  static constexpr const char* name = "ContextureFilterGrad";
  /// x [N, H, W, I], dy [N, H', W', O] with O a multiple of 8.
  static constexpr const char* inputs[] = {"x: float", "dy: float"};
  /// [size, size, I, O]
  static constexpr const char* outputs[] = {"d_kernel: float"};
  /// `padding` zero pixels on each side.
  static constexpr const char* attributes[] = {"size: int", "stride: int", "padding: int"};

  static void shapes(TF_ShapeInferenceContext* context, TF_Status* status) {
    TF_ShapeInferenceContextSetUnknownShape(context, status);
  }

  explicit FilterGradient(TF_OpKernelConstruction* construction)
      : size_(attributeInt(construction, "size")),
        stride_(attributeInt(construction, "stride")),
        padding_(attributeInt(construction, "padding")) {}

  void compute(KernelCall& call) const {
    const Shape from = call.shape(0), to = call.shape(1);
    const Sizes s{from[0], from[1], from[2], from[3], to[1], to[2], to[3], size_, stride_, padding_};
    if (s.out % 8 != 0) throw std::runtime_error("ContextureFilterGrad takes multiples of 8 channels");
    const float *x = call.input(0), *dy = call.input(1);
    const int64_t values = size_ * size_ * s.in * s.out;
    std::vector<float> parts(PARTS * values, 0.0f);
    parallelFor(PARTS, [&](size_t part) {
      const int64_t first = s.batch * part / PARTS, last = s.batch * (part + 1) / PARTS;
      for (int64_t n = first; n < last; n++) {
        addPicture(s, x + n * s.height * s.width * s.in, dy + n * s.out_height * s.out_width * s.out,
                   &parts[part * values]);
      }
    });
    float* kernel = call.output(0, {size_, size_, s.in, s.out});
    std::copy_n(parts.data(), values, kernel);
    for (int64_t part = 1; part < PARTS; part++) {
      for (int64_t i = 0; i < values; i++) kernel[i] += parts[part * values + i];
    }
  }

 private:
  int64_t size_;
  int64_t stride_;
  int64_t padding_;
};

}  // namespace

bool filterGradientPays() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && !__builtin_cpu_supports("avx512f");
#else
  return false;
#endif
}

void registerFilterGradient() { registerKernels<FilterGradient>(); }

}  // namespace contexture
