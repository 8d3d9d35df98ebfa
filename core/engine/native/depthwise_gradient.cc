#include "depthwise_gradient.h"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

#include "elements.h"
#include "kernel.h"
#include "parallel.h"

namespace contexture {
namespace {

/// Channels are taken this many at a time.
constexpr int64_t LANES = 16;
/// Sums are taken over this many parts of the batch and then in order: they do not depend on the number of threads.
constexpr int64_t PARTS = 8;

typedef float Lanes __attribute__((vector_size(64)));
typedef uint32_t Words __attribute__((vector_size(64)));
/// The same in a map, anywhere in memory.
typedef float Floats __attribute__((vector_size(64), aligned(4), may_alias));
typedef uint16_t Halves __attribute__((vector_size(32), aligned(2), may_alias));

INLINE void load(const float* from, Lanes& lanes) { lanes = *reinterpret_cast<const Floats*>(from); }
INLINE void load(const uint16_t* from, Lanes& lanes) {
  lanes = reinterpret_cast<Lanes>(__builtin_convertvector(*reinterpret_cast<const Halves*>(from), Words) << 16);
}
INLINE void store(float* to, const Lanes& lanes) { *reinterpret_cast<Floats*>(to) = lanes; }

/// y[p][q] = sum over a, b of x[p stride + a - top][q stride + b - left] k[a][b], zero outside, channel by channel.
struct Sizes {
  int64_t height, width, out_height, out_width, channels;
  int64_t stride, top, left;
};

/// sums[a][b] += sum over the pixels of one picture of x dy. K rows and columns.
template <int K, typename E>
INLINE void filterRows(const Sizes& s, const E* x, const E* dy, float* sums) {
  // Results whose row of the kernel lies in the picture.
  const int64_t first = std::min(s.out_width, (s.left + s.stride - 1) / s.stride);
  const int64_t fit = s.width + s.left - K;
  const int64_t last = std::max(first, std::min(s.out_width, fit < 0 ? 0 : fit / s.stride + 1));
  for (int64_t row = 0; row < s.out_height; row++) {
    const E* gradients = dy + row * s.out_width * s.channels;
    for (int64_t c = 0; c < s.channels; c += LANES) {
      for (int64_t a = 0; a < K; a++) {
        const int64_t in_row = row * s.stride + a - s.top;
        if (in_row < 0 || in_row >= s.height) continue;
        const E* pixels = x + in_row * s.width * s.channels + c;
        float* at = sums + a * K * s.channels + c;
        Lanes sum[K];
#pragma GCC unroll 8
        for (int b = 0; b < K; b++) load(at + b * s.channels, sum[b]);
        for (int64_t q = 0; q < s.out_width; q++) {
          Lanes g, pixel;
          load(gradients + q * s.channels + c, g);
          const int64_t column = q * s.stride - s.left;
          if (q >= first && q < last) {
            const E* from = pixels + column * s.channels;
#pragma GCC unroll 8
            for (int b = 0; b < K; b++) {
              load(from + b * s.channels, pixel);
              sum[b] += g * pixel;
            }
          } else {
#pragma GCC unroll 8
            for (int b = 0; b < K; b++) {
              if (column + b < 0 || column + b >= s.width) continue;
              load(pixels + (column + b) * s.channels, pixel);
              sum[b] += g * pixel;
            }
          }
        }
#pragma GCC unroll 8
        for (int b = 0; b < K; b++) store(at + b * s.channels, sum[b]);
      }
    }
  }
}

// Compilers make no versions of a template for several processors, hence these, one for each way to store a map.
#define FOR_ELEMENT(E)                                                                                                 \
  FOR_EACH_PROCESSOR void addPicture(const Sizes& s, int64_t size, const E* x, const E* dy, float* sums) {             \
    if (size == 3) filterRows<3>(s, x, dy, sums);                                                                      \
    else filterRows<5>(s, x, dy, sums);                                                                                \
  }
FOR_ELEMENT(float)
FOR_ELEMENT(uint16_t)

/// dk[a][b][c] = sum over pictures and results of the pixel under that position times dy, channel by channel.
template <typename E>
class DepthwiseFilterGradient {
 public:
  using Element = E;
  static constexpr const char* name = "ContextureDepthwiseFilterGrad";
  /// x [N, H, W, C], dy [N, H', W', C] with C a multiple of 16.
  static constexpr const char* inputs[] = {"x: T", "dy: T"};
  /// [size, size, C, 1]
  static constexpr const char* outputs[] = {"d_kernel: T"};
  /// `size` is 3 or 5; `top` and `left` zero pixels lie in front of the picture.
  static constexpr const char* attributes[] = {"T: {float, bfloat16}", "size: int", "stride: int", "top: int",
                                               "left: int"};

  static void shapes(TF_ShapeInferenceContext* context, TF_Status* status) {
    TF_ShapeInferenceContextSetUnknownShape(context, status);
  }

  explicit DepthwiseFilterGradient(TF_OpKernelConstruction* construction)
      : size_(attributeInt(construction, "size")),
        stride_(attributeInt(construction, "stride")),
        top_(attributeInt(construction, "top")),
        left_(attributeInt(construction, "left")) {}

  void compute(KernelCall& call) const {
    const Shape from = call.shape(0), to = call.shape(1);
    const Sizes s{from[1], from[2], to[1], to[2], from[3], stride_, top_, left_};
    if (size_ != 3 && size_ != 5) throw std::runtime_error(std::string(name) + " takes kernels of 3x3 and 5x5");
    if (s.channels % LANES != 0) throw std::runtime_error(std::string(name) + " takes multiples of 16 channels");
    const E *x = call.input<E>(0), *dy = call.input<E>(1);
    const int64_t values = size_ * size_ * s.channels;
    std::vector<float> parts(PARTS * values, 0.0f);
    parallelFor(PARTS, [&](size_t part) {
      const int64_t first = to[0] * part / PARTS, last = to[0] * (part + 1) / PARTS;
      for (int64_t n = first; n < last; n++) {
        addPicture(s, size_, x + n * s.height * s.width * s.channels,
                   dy + n * s.out_height * s.out_width * s.channels, &parts[part * values]);
      }
    });
    E* kernel = call.output<E>(0, {size_, size_, s.channels, 1});
    for (int64_t i = 0; i < values; i++) {
      float sum = parts[i];
      for (int64_t part = 1; part < PARTS; part++) sum += parts[part * values + i];
      set(kernel[i], sum);
    }
  }

 private:
  int64_t size_;
  int64_t stride_;
  int64_t top_;
  int64_t left_;
};

}  // namespace

void registerDepthwiseGradient() {
  registerKernels<DepthwiseFilterGradient<float>, DepthwiseFilterGradient<uint16_t>>();
}

}  // namespace contexture
