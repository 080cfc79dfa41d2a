// Lays the rows of `parley top` out as a table that fits a width: first the gaps give way, then long names, then the
// least important columns. Pure; any thread.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "services/cli/top/columns.hpp"
#include "services/cli/top/styled_line.hpp"

namespace parley::cli::top {

struct Sorting {
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  std::size_t column = kNone;
  bool is_descending = false;
};

class TableLayout {
 public:
  /// For `rows` in `width` columns; the sorted column stays as long as any but the name does.
  TableLayout(std::span<const ColumnSpec> columns, const std::vector<Row>& rows, Sorting sorting, std::size_t width);

  [[nodiscard]] StyledLine titles() const;
  [[nodiscard]] StyledLine line(const Row& row) const;

 private:
  struct Placed {
    const ColumnSpec* spec;
    std::size_t index;
    std::size_t width;
  };

  [[nodiscard]] std::string title_of(std::size_t column) const;
  [[nodiscard]] std::size_t total(std::size_t gap) const;
  bool shrink_texts(std::size_t width);
  void drop_least();
  void fit(std::size_t width);

  std::span<const ColumnSpec> columns_;
  Sorting sorting_;
  std::vector<Placed> placed_;
  std::size_t gap_ = 2;
};

/// `rows` as they are, under titles; no line is wider than `width`.
[[nodiscard]] std::vector<StyledLine> render_rows(std::span<const ColumnSpec> columns, const std::vector<Row>& rows,
                                                  std::size_t width);

/// The rows that `filter` leaves, in the order asked for; equal ones by name.
[[nodiscard]] std::vector<Row> chosen(const std::vector<Row>& rows, std::string_view filter,
                                      std::span<const ColumnSpec> columns, Sorting sorting);

}  // namespace parley::cli::top
