#include "services/cli/top/terminal.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

namespace parley::cli::top {
namespace {

// Alternate screen, no cursor, no wrapping at the right margin; and back.
constexpr std::string_view kEnter = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J";
constexpr std::string_view kLeave = "\x1b[?7h\x1b[?25h\x1b[0m\x1b[?1049l";

constexpr std::array kDeadlySignals{SIGHUP, SIGQUIT, SIGILL, SIGABRT, SIGBUS, SIGFPE, SIGSEGV};

// A signal handler can reach nothing but globals.
std::atomic<bool> is_entered{false};
bool has_keyboard = false;
termios original{};

void write_out(std::string_view text) noexcept {
  while (!text.empty()) {
    const ssize_t written = ::write(STDOUT_FILENO, text.data(), text.size());
    if (written <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

extern "C" void die_restored(int signal) {
  restore_terminal();
  std::signal(signal, SIG_DFL);
  (void)::raise(signal);
}

}  // namespace

void restore_terminal() noexcept {
  if (!is_entered.exchange(false)) return;
  write_out(kLeave);
  if (has_keyboard) (void)::tcsetattr(STDIN_FILENO, TCSANOW, &original);
}

bool Terminal::is_usable() {
  const char* kind = std::getenv("TERM");
  return ::isatty(STDOUT_FILENO) == 1 && kind != nullptr && std::string_view(kind) != "dumb" &&
         std::string_view(kind) != "";
}

Terminal::Terminal() {
  has_keyboard = ::isatty(STDIN_FILENO) == 1 && ::tcgetattr(STDIN_FILENO, &original) == 0;
  for (const int signal : kDeadlySignals) std::signal(signal, &die_restored);
  enter();
}

Terminal::~Terminal() {
  restore_terminal();
  for (const int signal : kDeadlySignals) std::signal(signal, SIG_DFL);
}

void Terminal::enter() {
  if (has_keyboard) {
    termios raw = original;
    // Ctrl-C and Ctrl-Z stay signals: the session ends and stops by them as everywhere else.
    raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    raw.c_iflag &= ~static_cast<tcflag_t>(IXON | ICRNL);
    raw.c_cc[VMIN] = 0;
    raw.c_cc[VTIME] = 0;
    (void)::tcsetattr(STDIN_FILENO, TCSANOW, &raw);
  }
  is_entered = true;
  write_out(kEnter);
  drawn_.clear();
}

Screen Terminal::size() const {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) return {};
  return {size.ws_col, size.ws_row};
}

std::string Terminal::read_keys() {
  std::array<char, 256> typed;
  if (!has_keyboard) return "";
  const ssize_t count = ::read(STDIN_FILENO, typed.data(), typed.size());
  return count > 0 ? std::string(typed.data(), static_cast<std::size_t>(count)) : std::string();
}

void Terminal::draw(const std::vector<StyledLine>& lines, bool has_color) {
  std::string text = screen_text(lines, size().height, has_color);
  if (text == drawn_) return;
  write_out(text);
  drawn_ = std::move(text);
}

void Terminal::suspend() {
  restore_terminal();
  (void)::raise(SIGSTOP);
  enter();
}

}  // namespace parley::cli::top
