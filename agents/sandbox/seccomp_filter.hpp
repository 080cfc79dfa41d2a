// The system calls that code in a sandbox may not make: those that reach past its namespaces (mounting, new namespaces,
// tracing, kernel modules, keys, BPF, …), those that take memory which nobody counts (memfd, System V), and sockets of
// families that a network namespace does not confine (vsock, packet, netlink, …). Any thread.
#pragma once

#include <string>

#include "libmsg/core/error.hpp"

namespace parley::sandbox {

/// The filter as a BPF program, in the form that `bwrap --seccomp` reads. Refused calls fail with EPERM. Fails with
/// `bad_configuration` where libseccomp cannot make it.
[[nodiscard]] Result<std::string> make_seccomp_filter();

}  // namespace parley::sandbox
