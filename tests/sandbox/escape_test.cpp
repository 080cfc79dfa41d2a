// Code that does not behave: real attempts to get out, to stay, and to use up the machine. Each must fail, and the host
// is looked at after each (SandboxTest::TearDown).
#include <arpa/inet.h>
#include <asio/experimental/awaitable_operators.hpp>
#include <asio/steady_timer.hpp>
#include <csignal>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "agents/sandbox/descriptor.hpp"
#include "tests/sandbox/sandbox_fixture.hpp"

namespace parley::sandbox {
namespace {

using std::chrono::milliseconds;
using testing::AnyOf;
using testing::Eq;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

using Escape = SandboxTest;

/// A listener of the host on a free port of 127.0.0.1.
struct Listener {
  Listener() : socket(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* generic = reinterpret_cast<sockaddr*>(&address);  // NOLINT: the sockets API
    EXPECT_EQ(::bind(socket.get(), generic, size), 0);
    EXPECT_EQ(::listen(socket.get(), 5), 0);
    EXPECT_EQ(::getsockname(socket.get(), generic, &size), 0);
    port = ntohs(address.sin_port);
  }
  [[nodiscard]] bool was_reached() const { return ::accept(socket.get(), nullptr, nullptr) >= 0; }
  Descriptor socket;
  int port = 0;
};

TEST_F(Escape, reaches_no_network_and_no_port_of_the_host) {
  const Listener listener;
  const RunResult result = python(
      "import socket\n"
      "for address in [('127.0.0.1', " +
      std::to_string(listener.port) +
      "), ('1.1.1.1', 53), ('169.254.169.254', 80), ('8.8.8.8', 443)]:\n"
      "  try:\n    socket.create_connection(address, 2)\n    print('REACHED', address)\n"
      "  except OSError as e: print('ok', e)\n"
      "try: print('REACHED', socket.getaddrinfo('deb.debian.org', 80))\n"
      "except OSError as e: print('ok', e)\n"
      "print(open('/proc/net/route').read().count(chr(10)))");
  EXPECT_THAT(result.out, Not(HasSubstr("REACHED"))) << result.out;
  EXPECT_THAT(result.out, HasSubstr("\n1\n"));
  EXPECT_FALSE(listener.was_reached());
}

TEST_F(Escape, reaches_no_abstract_socket_of_the_host) {
  const Descriptor listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0));
  const std::string name = "parley-escape-" + std::to_string(::getpid());
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  name.copy(&address.sun_path[1], name.size());
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  ASSERT_EQ(::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), size), 0);  // NOLINT: the sockets API
  ASSERT_EQ(::listen(listener.get(), 5), 0);
  const RunResult result = python(
      "import socket\ns = socket.socket(socket.AF_UNIX)\n"
      "try:\n  s.connect('\\0" +
      name +
      "')\n  print('REACHED')\n"
      "except OSError as e: print('ok', e)");
  EXPECT_THAT(result.out, HasSubstr("ok"));
  EXPECT_LT(::accept(listener.get(), nullptr, nullptr), 0);
}

TEST_F(Escape, opens_no_socket_that_a_network_namespace_does_not_confine) {
  const RunResult result = python(
      "import socket\n"
      "for family in [16, 17, 38, 40, 44, 29, 30]:\n"
      "  for kind in [socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW, socket.SOCK_SEQPACKET]:\n"
      "    try:\n      socket.socket(family, kind)\n      print('OPENED', family)\n"
      "    except OSError as e:\n      if e.errno != 1: print('ODD', family, e)\n");
  EXPECT_EQ(result.out, "");
  EXPECT_EQ(result.err, "");
}

TEST_F(Escape, sees_and_kills_no_other_process) {
  pid_t victim = 0;
  char* const arguments[] = {const_cast<char*>("sleep"), const_cast<char*>("60"), nullptr};  // NOLINT: execve(2)
  ASSERT_EQ(::posix_spawnp(&victim, "sleep", nullptr, nullptr, arguments, environ), 0);
  const std::string pid = std::to_string(victim);
  const RunResult result = shell("ls -d /proc/" + pid + "; kill -9 " + pid + "; kill -9 " + std::to_string(::getpid()) +
                                 "; echo still here; kill -9 -1");
  EXPECT_THAT(result.out, HasSubstr("still here"));
  EXPECT_THAT(result.out, Not(HasSubstr("/proc/" + pid)));
  EXPECT_EQ(::kill(victim, 0), 0);
  int status = 0;
  EXPECT_EQ(::waitpid(victim, &status, WNOHANG), 0) << "the victim has died";
  ::kill(victim, SIGKILL);
  ::waitpid(victim, &status, 0);
}

TEST_F(Escape, reads_no_file_outside) {
  const std::string secret = (home / "secret").string();
  const RunResult result =
      shell("cat " + secret + "; cat /proc/1/root" + secret + "; cat /etc/shadow; ls /root /home /var " +
            home.path().string() + "; cat /etc/passwd; ls /; cat /proc/*/environ | tr '\\0' '\\n'");
  EXPECT_THAT(result.out, Not(HasSubstr("nobody may read this")));
  EXPECT_THAT(result.out, Not(HasSubstr("root:")));
  EXPECT_THAT(result.out, HasSubstr("agent:x:1000"));
}

TEST_F(Escape, writes_no_file_outside) {
  const RunResult result = shell(
      "for f in /usr/x /usr/bin/x /etc/x /etc/passwd /x /dev/x /run/x /run/main.sh /proc/sys/kernel/hostname "
      "/proc/sys/kernel/core_pattern /proc/sysrq-trigger /sys/x /var/x " +
      home.path().string() +
      "/x; do "
      "if (echo x > $f) 2>/dev/null; then echo WROTE $f; fi; done; "
      "rm -f /usr/bin/env && echo REMOVED; true");
  EXPECT_EQ(result.out, "");
  EXPECT_FALSE(std::filesystem::exists(home / "x"));
}

TEST_F(Escape, inherits_no_descriptor_and_no_environment) {
  ::setenv("PARLEY_TEST_SECRET", "hidden", 1);  // NOLINT: one thread
  const RunResult result = shell("ls /proc/self/fd | tr '\\n' ' '; env");
  EXPECT_THAT(result.out, testing::StartsWith("0 1 2 3 ")) << "3 is that of ls itself";
  EXPECT_THAT(result.out, Not(HasSubstr("0 1 2 3 4")));
  EXPECT_THAT(result.out, Not(HasSubstr("hidden")));
  ::unsetenv("PARLEY_TEST_SECRET");  // NOLINT: one thread
}

TEST_F(Escape, a_fork_bomb_ends_at_the_limit_and_leaves_nothing) {
  const RunResult result = shell("bomb() { sleep " + mark + " & bomb | bomb & }; bomb; sleep " + mark);
  EXPECT_THAT(result.limit, AnyOf(Eq(Limit::processes), Eq(Limit::none)));
  const RunResult again = python("import os\nwhile True:\n  try: os.fork()\n  except OSError: pass\n");
  EXPECT_EQ(again.limit, Limit::processes);
  EXPECT_LT(again.took, milliseconds(15'000));
  EXPECT_EQ(shell("echo alive").out, "alive\n");
}

TEST_F(Escape, a_memory_bomb_of_one_process_gets_no_memory) {
  const RunResult result = python("try: x = bytearray(400 << 20)\nexcept MemoryError: print('no memory')");
  EXPECT_EQ(result.out, "no memory\n");
}

TEST_F(Escape, a_memory_bomb_of_many_processes_is_killed) {
  const RunResult result = python(
      "import os, time\nfor i in range(20):\n  if os.fork() == 0:\n"
      "    x = bytearray(os.urandom(1 << 20)) * 100\n    time.sleep(60)\ntime.sleep(60)");
  EXPECT_EQ(result.limit, Limit::memory);
  EXPECT_LT(result.took, milliseconds(15'000));
}

TEST_F(Escape, shared_memory_counts_like_any_other) {
  const RunResult result = python(
      "import mmap, os, time\nfor i in range(20):\n  if os.fork() == 0:\n"
      "    m = mmap.mmap(-1, 100 << 20)\n    for at in range(0, 100 << 20, 4096): m[at] = 1\n"
      "    time.sleep(60)\ntime.sleep(60)");
  EXPECT_EQ(result.limit, Limit::memory);
}

TEST_F(Escape, forked_copies_of_the_same_memory_count_once) {
  const RunResult result = python(
      "import os, time\nx = bytearray(60 << 20)\nfor i in range(0, len(x), 4096): x[i] = 1\n"
      "children = []\nfor i in range(10):\n  pid = os.fork()\n  if pid == 0: time.sleep(0.5); os._exit(0)\n"
      "  children.append(pid)\nfor pid in children: os.waitpid(pid, 0)\nprint('done')");
  EXPECT_EQ(result.out, "done\n");
  EXPECT_EQ(result.limit, Limit::none);
}

TEST_F(Escape, memory_that_nobody_counts_cannot_be_had) {
  const RunResult result = python(
      "import ctypes, os\nlibc = ctypes.CDLL(None, use_errno=True)\n"
      "try: os.memfd_create('x'); print('MEMFD')\nexcept OSError as e: print(e.errno)\n"
      "print(libc.shmget(0, 1 << 20, 0o1600), libc.msgget(0, 0o1600), libc.semget(0, 1, 0o1600))");
  EXPECT_EQ(result.out, "1\n-1 -1 -1\n");
}

TEST_F(Escape, fills_neither_the_work_folder_nor_any_other_place_beyond_its_size) {
  const RunResult result = shell(
      "for d in /work /tmp /dev/shm; do dd if=/dev/zero of=$d/big bs=1M count=2000 2>/dev/null; "
      "dd if=/dev/zero of=$d/more bs=1M count=2000 2>/dev/null; du -m $d | tail -1 | cut -f1; done");
  EXPECT_EQ(result.limit, Limit::none);
  std::istringstream sizes(result.out);
  int mebibytes = 0;
  int places = 0;
  for (; sizes >> mebibytes; ++places) EXPECT_LE(mebibytes, 33);
  EXPECT_EQ(places, 3);
}

TEST_F(Escape, hides_no_bytes_in_files_that_have_no_name) {
  const RunResult result = python(
      "import os\nfds = []\ntotal = 0\ntry:\n  for i in range(100):\n"
      "    fd = os.open(f'x{i}', os.O_CREAT | os.O_RDWR); os.unlink(f'x{i}'); fds.append(fd)\n"
      "    for _ in range(30): total += os.write(fd, bytes(1 << 20))\nexcept OSError as e: print(e.errno, total >> "
      "20)");
  EXPECT_THAT(result.out, HasSubstr("28 ")) << result.out << result.err;
  EXPECT_LE(std::stoi(result.out.substr(3)), 32);
}

TEST_F(Escape, a_flood_of_empty_files_ends_at_the_limit) {
  for (const std::string place : {"/work", "/tmp", "/dev/shm"}) {
    const RunResult result = python("i = 0\nwhile True:\n  open(f'" + place + "/f{i}', 'w').close(); i += 1\n");
    EXPECT_EQ(result.limit, Limit::files) << place;
    folder = *sandbox->make_folder();
  }
}

TEST_F(Escape, endless_output_is_cut_and_ended) {
  const RunResult result = shell("yes");
  EXPECT_EQ(result.limit, Limit::output);
  EXPECT_EQ(result.out.size(), options.limits.max_output_bytes);
  EXPECT_EQ(shell("yes >&2").limit, Limit::output);
}

TEST_F(Escape, endless_work_is_ended_by_its_time) {
  options.limits.wall_time = milliseconds(500);
  sandbox.reset();
  open();
  const RunResult result = shell("trap '' TERM INT HUP; sleep " + mark + " & while :; do sleep 1; done");
  EXPECT_EQ(result.limit, Limit::wall_time);
  EXPECT_LT(result.took, milliseconds(5000));
}

TEST_F(Escape, endless_computing_is_ended_by_its_processor_time) {
  options.limits.cpu_time = milliseconds(1000);
  sandbox.reset();
  open();
  EXPECT_EQ(python("while True: pass").limit, Limit::cpu_time);
}

TEST_F(Escape, links_out_of_the_work_folder_give_nothing_back) {
  const std::string secret = (home / "secret").string();
  const RunResult result =
      shell("ln -s " + secret +
            " leak; ln -s / root; ln -s /etc/passwd p; mkdir d; ln -s ../../../.. d/up; "
            "mkfifo pipe; python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind(\"sock\")'; "
            "ln /usr/bin/env hard; ln /run/main.sh hard2; mkdir locked; echo x > locked/x; chmod 0 locked; true");
  EXPECT_THAT(result.files, testing::Each(testing::Field(&File::bytes, "x\n")));
  EXPECT_THAT(result.left_out, testing::IsSupersetOf({"leak", "root", "p", "d/up", "pipe", "sock"}));
  // What is written in the next run through names that were links must stay within.
  const RunResult next = shell("cat leak/x d/up/x", {{"leak/x", "mine"}, {"d/up/x", "mine"}});
  EXPECT_EQ(next.out, "minemine");
  EXPECT_FALSE(std::filesystem::exists("/x"));
}

TEST_F(Escape, gains_no_privileges_by_setuid_programs) {
  const RunResult result = shell(
      "cp /bin/sh s; chmod 4755 s; ./s -p -c 'id -u'; su -c id 2>&1; mount 2>/dev/null | grep -c ' nosuid\\|(ro'; "
      "python3 -c 'import os; os.setuid(0)' 2>&1 | tail -1; grep NoNewPrivs /proc/self/status");
  EXPECT_THAT(result.out, testing::StartsWith("1000\n"));
  EXPECT_THAT(result.out, Not(HasSubstr("uid=0")));
  EXPECT_THAT(result.out, HasSubstr("NoNewPrivs:\t1"));
  EXPECT_THAT(result.out, AnyOf(HasSubstr("not permitted"), HasSubstr("Invalid argument")));
}

TEST_F(Escape, makes_no_mounts_and_no_namespaces) {
  const RunResult result = shell(
      "mount -t tmpfs x /tmp && echo MOUNTED; mount -o remount,rw / && echo REMOUNTED; umount /usr && echo UMOUNTED; "
      "unshare -U true && echo USER; unshare -m true && echo MNT; unshare -n true && echo NET; "
      "chroot /tmp /bin/true && echo CHROOT; true");
  EXPECT_EQ(result.out, "");
  const RunResult raw = python(
      "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\n"
      "for flag in [0x10000000, 0x00020000, 0x40000000, 0x20000000, 0x02000000]:\n"
      "  r = libc.syscall(56, flag | 17, 0, 0, 0, 0)\n  print(r, ctypes.get_errno())\n"
      "print(libc.syscall(435, 0, 0), ctypes.get_errno())");
#if defined(__x86_64__)
  EXPECT_EQ(raw.out, "-1 1\n-1 1\n-1 1\n-1 1\n-1 1\n-1 38\n");
#endif
}

TEST_F(Escape, traces_nothing_and_asks_the_kernel_for_nothing_special) {
#if defined(__x86_64__)
  const RunResult result = python(
      "import ctypes, os\nlibc = ctypes.CDLL(None, use_errno=True)\nlibc.syscall.restype = ctypes.c_long\n"
      "calls = {'ptrace': 101, 'process_vm_readv': 310, 'bpf': 321, 'perf_event_open': 298, 'keyctl': 250,\n"
      "         'userfaultfd': 323, 'kexec_load': 246, 'init_module': 175, 'io_uring_setup': 425, 'setns': 308,\n"
      "         'open_by_handle_at': 304, 'mount': 165, 'fsopen': 430, 'reboot': 169, 'pidfd_getfd': 438,\n"
      "         'swapon': 167, 'clock_settime': 227, 'syslog': 103, 'iopl': 172, 'add_key': 248}\n"
      "for name, number in calls.items():\n  ctypes.set_errno(0)\n"
      "  if libc.syscall(number, 0, 0, 0, 0, 0) != -1 or ctypes.get_errno() != 1: print(name, ctypes.get_errno())\n"
      "print('done')");
  EXPECT_EQ(result.out, "done\n") << result.err;
#endif
}

TEST_F(Escape, has_no_devices_but_the_harmless_ones) {
  const RunResult result = shell(
      "ls /dev | grep -v "
      "'^\\(console\\|core\\|fd\\|full\\|null\\|ptmx\\|pts\\|random\\|shm\\|stderr\\|stdin\\|stdout\\|tty\\|urandom\\|"
      "zero\\)$'; "
      "mknod disk b 8 0 2>/dev/null && echo MADE; head -c 1 /dev/mem 2>/dev/null && echo MEM; "
      "head -c 1 /dev/kmsg 2>/dev/null && echo KMSG; head -c 1 /proc/kcore 2>/dev/null && echo KCORE; true");
  EXPECT_EQ(result.out, "");
}

TEST_F(Escape, nothing_stays_when_the_code_has_ended) {
  const RunResult result = shell("setsid sleep " + mark + " & (sleep " + mark + " &) ; nohup sleep " + mark +
                                 " >/dev/null 2>&1 & sleep 0.1; echo end");
  EXPECT_EQ(result.out, "end\n");
  EXPECT_TRUE(result.is_success());
}

TEST_F(Escape, closing_its_output_keeps_nothing_alive) {
  const RunResult result = shell("sleep " + mark + " >&- 2>&- <&- & disown; exec >&- 2>&-; exit 0");
  EXPECT_EQ(result.exit_code, 0);
}

TEST_F(Escape, nothing_stays_when_the_run_is_cancelled) {
  using asio::experimental::awaitable_operators::operator||;
  const auto race = [this]() -> Task<Result<RunResult>> {
    asio::steady_timer timer(io, milliseconds(700));
    RunRequest request{Language::shell, "sleep " + mark + " & sleep " + mark};
    auto first = co_await (sandbox->run(std::move(request), folder) || timer.async_wait(asio::use_awaitable));
    if (first.index() == 0) co_return std::move(std::get<0>(first));
    co_return fail(ErrorCode::cancelled, "by the test");
  };
  const Result<RunResult> result = test::run_task(io, race());
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().message, "by the test");
}

/// The kernel ends what was killed in its own time.
template <class Condition>
bool wait_for(const Condition& condition) {
  for (int i = 0; i < 1000 && !condition(); ++i) ::usleep(10'000);
  return condition();
}

TEST_F(Escape, nothing_stays_when_the_loop_is_thrown_away) {
  {
    asio::io_context other;
    RunRequest request{Language::shell, "sleep " + mark};
    asio::co_spawn(other, sandbox->run(std::move(request), folder), asio::detached);
    other.run_for(milliseconds(500));
  }
  EXPECT_TRUE(wait_for([this] { return processes_with(mark).empty(); }));
}

TEST_F(Escape, nothing_stays_when_our_process_is_killed) {
  const pid_t worker = ::fork();
  if (worker == 0) {
    asio::io_context own;
    RunRequest request{Language::shell, "sleep " + mark + " & sleep " + mark};
    asio::co_spawn(own, sandbox->run(std::move(request), folder), asio::detached);
    own.run_for(std::chrono::seconds(30));
    ::_exit(0);
  }
  EXPECT_TRUE(wait_for([this] { return processes_with(mark).size() >= 2; }));
  ::kill(worker, SIGKILL);
  ::waitpid(worker, nullptr, 0);
  EXPECT_TRUE(wait_for([this] { return processes_with(mark).empty(); }));
}

}  // namespace
}  // namespace parley::sandbox
