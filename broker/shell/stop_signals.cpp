#include "broker/shell/stop_signals.hpp"

#include <cerrno>
#include <csignal>
#include <pthread.h>
#include <sys/signalfd.h>
#include <system_error>
#include <unistd.h>

namespace parley::broker {

StopSignals::StopSignals() {
  sigset_t signals{};
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  fd_ = signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
  if (fd_ < 0) throw std::system_error(errno, std::generic_category(), "signalfd");
}

StopSignals::~StopSignals() { close(fd_); }

std::size_t StopSignals::take() {
  std::size_t count = 0;
  signalfd_siginfo info{};
  while (read(fd_, &info, sizeof info) == sizeof info) count++;
  return count;
}

}  // namespace parley::broker
