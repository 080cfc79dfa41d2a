// A terminal in full-screen mode: raw keys, the alternate screen, no cursor. It is as it was when the object is gone,
// and also when the process ends by a signal or a failed assertion: a shell with a broken terminal is worse than none.
// At most one object at a time. Main thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "libmsg/core/error.hpp"
#include "services/cli/top/styled_line.hpp"
#include "services/cli/top/view.hpp"

namespace parley::cli::top {

class Terminal {
 public:
  /// True when standard output is a terminal that understands cursor movement.
  [[nodiscard]] static bool is_usable();

  Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;
  ~Terminal();

  [[nodiscard]] Screen size() const;
  /// What was typed since; empty when there is nothing, or no keyboard.
  [[nodiscard]] std::string read_keys();
  /// Fills the screen, at most as many lines as it has.
  void draw(const std::vector<StyledLine>& lines, bool has_color);
  /// Gives the terminal back to the shell, stops the process, and takes the terminal again when it is continued.
  void suspend();

 private:
  void enter();
  std::string drawn_;
};

/// Puts the terminal back if one is in full-screen mode. Async-signal-safe; for ends that run no destructors.
void restore_terminal() noexcept;

}  // namespace parley::cli::top
