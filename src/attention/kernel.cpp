#include "attention/kernel.hpp"

#include <string>

#include "attention/block.hpp"
#include "core/error.hpp"

namespace gaincal::attention {

bool kernel_available(KernelVersion version) {
  switch (version) {
    case KernelVersion::automatic:
    case KernelVersion::portable:
      return true;
#ifdef GAINCAL_X86_KERNELS
    case KernelVersion::avx2:
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    case KernelVersion::avx512:
      return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
             __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
             __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif
    default:
      return false;
  }
}

KernelVersion best_kernel() {
  if (kernel_available(KernelVersion::avx512)) return KernelVersion::avx512;
  if (kernel_available(KernelVersion::avx2)) return KernelVersion::avx2;
  return KernelVersion::portable;
}

std::string_view kernel_name(KernelVersion version) {
  switch (version) {
    case KernelVersion::automatic:
      return kernel_name(best_kernel());
    case KernelVersion::avx2:
      return "avx2";
    case KernelVersion::avx512:
      return "avx512";
    default:
      return "portable";
  }
}

namespace {

Kernel kernel_of(KernelVersion version) {
#ifdef GAINCAL_X86_KERNELS
  if (version == KernelVersion::avx512) return avx512_kernel();
  if (version == KernelVersion::avx2) return avx2_kernel();
#endif
  return portable_kernel();
}

}  // namespace

Kernel choose_kernel(KernelVersion version, int weight_levels) {
  if (version == KernelVersion::automatic) version = best_kernel();
  if (!kernel_available(version)) {
    throw Error("attention: this processor has no " + std::string(kernel_name(version)) + "; use the automatic choice");
  }
  Kernel kernel = kernel_of(version);
  if (weight_levels > kRegisterLevels) {
    kernel.score = portable_kernel().score;
    kernel.weigh = portable_kernel().weigh;
    kernel.reads_digits = kernel.reads_lines = false;
  }
  return kernel;
}

}  // namespace gaincal::attention
