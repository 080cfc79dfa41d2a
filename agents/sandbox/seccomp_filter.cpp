#include "agents/sandbox/seccomp_filter.hpp"

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <memory>
#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agents/sandbox/descriptor.hpp"

namespace parley::sandbox {
namespace {

/// Refused whatever their arguments. Names that this kernel or architecture does not have are passed over.
constexpr std::array kRefused{
    // The file system as a whole.
    "mount", "umount", "umount2", "pivot_root", "chroot", "mount_setattr", "open_tree", "move_mount", "fsopen",
    "fsconfig", "fsmount", "fspick", "swapon", "swapoff", "acct", "quotactl", "quotactl_fd", "open_by_handle_at",
    "name_to_handle_at", "fanotify_init", "uselib", "ustat", "sysfs", "nfsservctl",
    // Other processes.
    "ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "kcmp", "pidfd_getfd", "setns", "unshare",
    "move_pages", "migrate_pages",
    // The kernel.
    "bpf", "perf_event_open", "userfaultfd", "io_uring_setup", "io_uring_enter", "io_uring_register", "kexec_load",
    "kexec_file_load", "init_module", "finit_module", "delete_module", "reboot", "syslog", "lookup_dcookie", "iopl",
    "ioperm", "modify_ldt", "vhangup", "_sysctl", "settimeofday", "clock_settime", "clock_adjtime", "adjtimex", "stime",
    "sethostname", "setdomainname",
    // Keys.
    "keyctl", "add_key", "request_key",
    // Memory that is nobody's until it is mapped.
    "memfd_create", "memfd_secret", "shmget", "msgget", "semget", "mq_open"};

/// Flags of clone(2) that make namespaces. CLONE_NEWTIME is part of the mask of signals there.
constexpr std::array<std::uint64_t, 7> kNamespaces{CLONE_NEWNS,  CLONE_NEWUTS, CLONE_NEWIPC,   CLONE_NEWUSER,
                                                   CLONE_NEWPID, CLONE_NEWNET, CLONE_NEWCGROUP};

/// ioctl(2): puts characters into the input of the terminal, as if somebody had typed them.
constexpr std::array<std::uint64_t, 2> kTerminalTricks{0x5412 /* TIOCSTI */, 0x541C /* TIOCLINUX */};

struct Release {
  void operator()(void* context) const { ::seccomp_release(context); }
};
using Filter = std::unique_ptr<void, Release>;

bool refuse(void* filter, const char* name) {
  const int call = ::seccomp_syscall_resolve_name(name);
  if (call < 0) return true;
  return ::seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), call, 0) == 0;
}

bool refuse_namespaces(void* filter) {
  bool is_good = true;
  for (const std::uint64_t flag : kNamespaces) {
    const scmp_arg_cmp has_flag{0, SCMP_CMP_MASKED_EQ, flag, flag};
    is_good &= ::seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1, &has_flag) == 0;
  }
  // Its flags lie in memory, where no filter sees them; the C library then takes clone.
  return is_good && ::seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0) == 0;
}

/// All families but AF_UNIX, AF_INET and AF_INET6, which end at the sandbox's own network.
bool refuse_sockets(void* filter) {
  bool is_good = true;
  for (std::uint64_t family = AF_INET + 1; family < AF_INET6; ++family) {
    const scmp_arg_cmp is_family{0, SCMP_CMP_EQ, family, 0};
    is_good &= ::seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(socket), 1, &is_family) == 0;
  }
  const scmp_arg_cmp is_beyond{0, SCMP_CMP_GT, AF_INET6, 0};
  return is_good && ::seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(socket), 1, &is_beyond) == 0;
}

bool refuse_terminal_tricks(void* filter) {
  constexpr std::uint64_t kRequestBits = 0xFFFFFFFF;
  bool is_good = true;
  for (const std::uint64_t request : kTerminalTricks) {
    const scmp_arg_cmp is_request{1, SCMP_CMP_MASKED_EQ, kRequestBits, request};
    is_good &= ::seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ioctl), 1, &is_request) == 0;
  }
  return is_good;
}

Result<std::string> program_of(void* filter) {
  const Descriptor file(::memfd_create("parley-seccomp", MFD_CLOEXEC));
  if (!file.is_open() || ::seccomp_export_bpf(filter, file.get()) != 0) {
    return fail(ErrorCode::bad_configuration, std::string("cannot write the seccomp filter: ") + std::strerror(errno));
  }
  const off_t size = ::lseek(file.get(), 0, SEEK_END);
  std::string program(size > 0 ? static_cast<std::size_t>(size) : 0, '\0');
  if (program.empty() || ::pread(file.get(), program.data(), program.size(), 0) != size) {
    return fail(ErrorCode::bad_configuration, "cannot read the seccomp filter back");
  }
  return program;
}

}  // namespace

Result<std::string> make_seccomp_filter() {
  const Filter filter(::seccomp_init(SCMP_ACT_ALLOW));
  bool is_good = filter != nullptr;
  for (const char* name : kRefused) is_good = is_good && refuse(filter.get(), name);
  is_good = is_good && refuse_namespaces(filter.get()) && refuse_sockets(filter.get()) &&
            refuse_terminal_tricks(filter.get());
  if (!is_good) return fail(ErrorCode::bad_configuration, "libseccomp cannot make the sandbox's filter");
  return program_of(filter.get());
}

}  // namespace parley::sandbox
