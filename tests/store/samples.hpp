#pragma once

#include "store/model_file.hpp"
#include "store/table.hpp"

namespace gaincal::tests {

/// A small dataset with every feature: two axes, labels, failed points, NaN, a table of single numbers.
store::Dataset sample_dataset();

/// A model file in which every number is different.
store::ModelFile sample_model();

/// The same at two corners, three temperatures and two supplies, each of them different.
store::ModelFile sample_model_set();

/// Throws away what the process writes to stderr while it lives, and keeps it.
class CapturedStderr {
 public:
  CapturedStderr();
  ~CapturedStderr();
  CapturedStderr(const CapturedStderr&) = delete;
  CapturedStderr& operator=(const CapturedStderr&) = delete;
  /// What was written so far.
  std::string text();

 private:
  int saved_ = -1;
  int captured_ = -1;
};

}  // namespace gaincal::tests
