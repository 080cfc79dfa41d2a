#include "services/cli/console.hpp"

#include <algorithm>
#include <cstdlib>
#include <spdlog/fmt/fmt.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "services/cli/exit_code.hpp"

namespace parley::cli {
namespace {

constexpr std::size_t kMinWidth = 40;
constexpr std::size_t kMaxWidth = 200;

std::size_t terminal_width() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return std::clamp<std::size_t>(size.ws_col, kMinWidth, kMaxWidth);
}

void put(std::FILE* stream, std::string_view text) {
  // A reader that went away ends the process by SIGPIPE; other failures of a terminal leave nothing to report to.
  (void)std::fwrite(text.data(), 1, text.size(), stream);
}

}  // namespace

std::string_view escape_of(Color color) {
  switch (color) {
    case Color::dim:
      return "\x1b[2m";
    case Color::bold:
      return "\x1b[1m";
    case Color::red:
      return "\x1b[31m";
    case Color::green:
      return "\x1b[32m";
    case Color::yellow:
      return "\x1b[33m";
    case Color::blue:
      return "\x1b[34m";
    case Color::magenta:
      return "\x1b[35m";
    case Color::cyan:
      return "\x1b[36m";
  }
  return "";
}

Console Console::of_process() {
  ConsoleStyle style;
  style.is_out_terminal = ::isatty(STDOUT_FILENO) == 1;
  style.is_err_terminal = ::isatty(STDERR_FILENO) == 1;
  const char* no_color = std::getenv("NO_COLOR");
  const bool is_refused = no_color != nullptr && *no_color != '\0';
  style.has_color = style.is_out_terminal && style.is_err_terminal && !is_refused;
  style.width = terminal_width();
  return {stdout, stderr, style};
}

void Console::print(std::string_view line) {
  clear_status();
  put(out_, line);
  put(out_, "\n");
  (void)std::fflush(out_);
}

void Console::write(std::string_view piece) {
  clear_status();
  put(out_, piece);
  (void)std::fflush(out_);
}

void Console::note(std::string_view line) {
  clear_status();
  put(err_, line);
  put(err_, "\n");
  (void)std::fflush(err_);
}

void Console::note_piece(std::string_view piece) {
  clear_status();
  put(err_, piece);
  (void)std::fflush(err_);
}

void Console::status(std::string_view line) {
  if (!style_.is_err_terminal) return;
  put(err_, "\r\x1b[K");
  put(err_, line);
  (void)std::fflush(err_);
  has_status_ = true;
}

void Console::clear_status() {
  if (!has_status_) return;
  put(err_, "\r\x1b[K");
  (void)std::fflush(err_);
  has_status_ = false;
}

int Console::fail(const Error& error) {
  note(fmt::format("{} {}: {}", paint(Color::red, "error:"), to_string(error.code), printable(error.message)));
  return exit_code_of(error.code);
}

int Console::fail_answer(const Error& error) {
  (void)fail(error);
  return exit_code_of_answer(error.code);
}

int Console::refuse_usage(std::string_view message) {
  (void)fail(Error(ErrorCode::invalid, std::string(message)));
  return kBadUsage;
}

std::string Console::paint(Color color, std::string_view text) const {
  if (!style_.has_color) return std::string(text);
  return fmt::format("{}{}\x1b[0m", escape_of(color), text);
}

std::string printable(std::string_view text) {
  std::string safe;
  safe.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    // 0xC2 0x80..0x9F are the C1 controls in UTF-8, which some terminals obey as well.
    const bool is_c1 =
        byte == 0xC2U && i + 1 < text.size() && (static_cast<unsigned char>(text[i + 1]) & 0xE0U) == 0x80U;
    if (is_c1) {
      safe += "?";
      ++i;
    } else if ((byte < 0x20U && byte != '\n' && byte != '\t') || byte == 0x7FU) {
      safe += "?";
    } else {
      safe += text[i];
    }
  }
  return safe;
}

}  // namespace parley::cli
