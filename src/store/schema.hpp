#pragma once

#include <string>
#include <string_view>

namespace gaincal::store {

/// Names in the root attribute `schema`; FORMAT.md describes each.
inline constexpr std::string_view kDatasetSchema = "gaincal/dataset";  ///< tables: what SPICE said
inline constexpr std::string_view kModelSchema = "gaincal/model";      ///< the fitted circuit
inline constexpr std::string_view kShardSchema = "gaincal/shard";      ///< a part of a sweep, before it is merged
inline constexpr std::string_view kResultsSchema = "gaincal/results";  ///< tables: what a run on the model gave

/// Version written; readers refuse another major number and ignore what a later minor number adds.
inline constexpr std::string_view kSchemaVersion = "1.3";

/// How to get a good file of this schema: "rerun 'gaincal fit'".
std::string remedy(std::string_view schema);

}  // namespace gaincal::store
