#pragma once

/// Published figures that ours stand beside.
namespace gaincal::energy::paper {

// Leroux et al. 2025: one token and head, window 1024, head size 64.
inline constexpr double kScoreArrays_J = 1120e-12;  ///< K arrays with their converters
inline constexpr double kSumArrays_J = 700e-12;     ///< V arrays with their converters
inline constexpr double kHead_J = 6.1e-9;
inline constexpr double kToken_s = 65e-9;
inline constexpr double kHeadArea_m2 = 0.5e-6;
inline constexpr double kWindow = 1024.0;
inline constexpr double kHeadSize = 64.0;

// Attention of one token on GPUs: 12 heads, window 1024, one layer; measured by the same authors.
inline constexpr double kRtx4090_J = 7.18e-3, kRtx4090_s = 22.4e-6;
inline constexpr double kJetsonNano_J = 3.25e-3, kJetsonNano_s = 489e-6;
inline constexpr double kHeads = 12.0;

inline constexpr const char* kSource = "Leroux et al. 2025";

}  // namespace gaincal::energy::paper
