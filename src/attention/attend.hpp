#pragma once

#include <Eigen/Core>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "attention/activity.hpp"
#include "attention/analog_device.hpp"
#include "attention/run.hpp"
#include "attention/variation.hpp"

namespace gaincal::attention {

using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
/// A view of (T, D) floats inside a wider row-major matrix.
using ConstView = Eigen::Ref<const Matrix, 0, Eigen::OuterStride<>>;
using View = Eigen::Ref<Matrix, 0, Eigen::OuterStride<>>;

/// Affine scalers of one head: x -> a x + b, before the clamp for q, k, v and after the tile sum for the output.
/// As in the authors' code, a of q, k and v counts as 1e-20 where it is less.
struct HeadScalers {
  float q_a = 1.0f, q_b = 0.0f;
  float k_a = 1.0f, k_b = 0.0f;
  float v_a = 1.0f, v_b = 0.0f;
  float output_a = 1.0f, output_b = 0.0f;
};

/// Intermediate values of one head, for tests and captures. T tokens, D head size, tiles of 64.
struct Trace {
  using Codes = Eigen::Array<std::uint8_t, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  Codes q_code, k_level, v_level;  ///< (T, D), or empty where not quantised
  Matrix q, k, v;                  ///< (T, D) after scale, clamp and quantisation
  Matrix S, phi;                   ///< (T, T) S at the converter, 0 where masked
  std::vector<Matrix> A_tiles;     ///< per tile (T, D), charge at the signed converter, in units of output.k
  Matrix out_sum;                  ///< (T, D) sum over tiles, before the output scaler
};

/// Attention of one head over a whole sequence, in plain loops: this defines the result.
///
/// Sums over rows and over the tokens of a tile are in double and rounded to float once; everything else is float, in
/// the order of the authors' code.
///
/// q, k, v, out  (T, D), D at most 64; causal, window device.window; T may be longer than the window
/// trace         filled when not null
/// activity      counts of events added when not null; shaped by make_activity first where it is empty
/// instance      which head of the chip; needed where the device has a variation
/// Throws        Error when shapes do not fit, D is not in 1..64, the device fails check_device, an operand is not
///               finite, or as check_instance
void attend_reference(const AnalogDevice& device, const HeadScalers& scalers, ConstView q, ConstView k, ConstView v,
                      View out, Trace* trace = nullptr, Activity* activity = nullptr, const Instance& instance = {});

/// Which processor the tuned kernel is compiled for. Each is deterministic; they differ within kScoreTolerance.
enum class KernelVersion { automatic, portable, avx2, avx512 };

/// Whether this program and this processor have it.
bool kernel_available(KernelVersion version);
/// The one that `automatic` means here.
KernelVersion best_kernel();
std::string_view kernel_name(KernelVersion version);

/// The same as attend_reference, tuned. Sums are in float, or in whole numbers of 2^-22 of the largest charge of an
/// age; charges that lie on a line over eight ages, within 2^-20 of the largest, may be read from it. The charge that a
/// column's cells pour differs from the reference by at most kScoreTolerance * sum_d (|x| r + e), r and e the largest
/// |read| and |edge| of the column's age, A likewise; an output level may differ where A lies within this of an edge, a
/// V read be counted or not where S lies within this of the smallest charge that gives a pulse.
///
/// Throws  as attend_reference, and when the processor lacks `version`
void attend(const AnalogDevice& device, const HeadScalers& scalers, ConstView q, ConstView k, ConstView v, View out,
            Activity* activity = nullptr, KernelVersion version = KernelVersion::automatic,
            const Instance& instance = {});

/// 64 float additions and a fused or plain product each: (64 + 1) 2^-24. Cells that vary have a second sum, of offsets,
/// and a product more. Read from lines, they are off by 16 and rounded by at most 14 of the 65, with 19 additions.
/// Whole numbers round a charge by at most 2^-23 of the largest, an edge's with it, and 5 times at the end.
inline constexpr double kScoreTolerance = 65.0 / 16777216.0;

class PreparedTable;
/// The device's tables as the kernel of this version reads them, for caches of the same device and version to share.
///
/// device  must outlive it
/// Throws  Error as attend
std::shared_ptr<const PreparedTable> prepare_table(const AnalogDevice& device,
                                                   KernelVersion version = KernelVersion::automatic);

/// One head during decoding: written levels in a ring of M tokens, one byte a cell. Needs a device with a `read` table.
class HeadCache {
 public:
  /// device     must outlive the cache
  /// head_size  D, 1..64
  /// table      of the same device, for a version that counts instead; null: one of its own
  /// Throws     Error when the device has no `read` table, or as attend
  HeadCache(const AnalogDevice& device, std::size_t head_size, KernelVersion version = KernelVersion::automatic,
            const Instance& instance = {}, std::shared_ptr<const PreparedTable> table = nullptr);

  /// Writes k and v of the next token, then attends with its q. All (D). Bit for bit row t of `attend` with the same
  /// kernel version; the cost does not depend on how many tokens went before the window.
  void step(const HeadScalers& scalers, const float* q, const float* k, const float* v, float* out,
            Activity* activity = nullptr);

  /// The next T tokens at once: q, k, v, out (T, D). Bit for bit what T steps give, in less time.
  ///
  /// Throws  Error as attend
  void extend(const HeadScalers& scalers, ConstView q, ConstView k, ConstView v, View out,
              Activity* activity = nullptr);

  /// Tokens written so far.
  std::size_t tokens() const { return tokens_; }

 private:
  /// Keeps k_count_, and counts writes and K reads of a token. Codes and levels (D) by row; `overwritten` a packed
  /// column of K levels, null where none was in use.
  void count_token(const std::uint8_t* q_code, const std::uint8_t* k_level, const std::uint8_t* v_level,
                   const std::uint8_t* overwritten, Activity* activity);

  const AnalogDevice* device_;
  std::size_t head_size_;
  Instance instance_;
  std::size_t tokens_ = 0;
  std::shared_ptr<const PreparedTable> table_;
  std::vector<std::uint8_t> k_level_, v_level_;  // (M + padding, 64) ring, bytes in the kernels' order
  std::vector<std::uint32_t> k_count_;           // (64, levels) cells of each row and level in the window
  std::vector<std::vector<Run>> runs_;           // scratch of a step
};

}  // namespace gaincal::attention
