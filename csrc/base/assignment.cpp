// Shortest augmenting paths with prices: Jonker and Volgenant 1987 in the rectangular form of D. F. Crouse,
// "On implementing 2D rectangular assignment algorithms", IEEE Trans. Aerospace and Electronic Systems 52(4),
// 2016.
#include "base/assignment.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace fastpose {

Assignment::Assignment(int largest)
    : row_price_(largest),
      column_price_(largest),
      shortest_(largest),
      column_of_(largest),
      row_of_(largest),
      previous_(largest),
      remaining_(largest),
      row_seen_(largest),
      column_seen_(largest) {}

double Assignment::cost(int row, int column) const noexcept {
    return transposed_ ? costs_[static_cast<std::size_t>(column) * rows_ + row]
                       : costs_[static_cast<std::size_t>(row) * columns_ + column];
}

void Assignment::solve(std::span<const double> costs, int rows, int columns,
                       std::span<int> column_of_row) noexcept {
    costs_ = costs;
    transposed_ = rows > columns;
    rows_ = std::min(rows, columns);
    columns_ = std::max(rows, columns);
    std::fill_n(row_price_.begin(), rows_, 0.0);
    std::fill_n(column_price_.begin(), columns_, 0.0);
    std::fill_n(column_of_.begin(), rows_, -1);
    std::fill_n(row_of_.begin(), columns_, -1);
    for (int row = 0; row < rows_; ++row) {
        const int column = shortest_path(row);
        if (column < 0) continue;  // a cost that is not finite
        update_prices(row);
        augment(row, column);
    }
    std::copy_n(transposed_ ? row_of_.begin() : column_of_.begin(), rows, column_of_row.begin());
}

// The free column at the end of the cheapest path of alternating edges from this row; -1: there is none.
int Assignment::shortest_path(int row) noexcept {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    for (int i = 0; i < columns_; ++i) remaining_[i] = columns_ - 1 - i;
    std::fill_n(row_seen_.begin(), rows_, 0);
    std::fill_n(column_seen_.begin(), columns_, 0);
    std::fill_n(shortest_.begin(), columns_, infinity);
    path_cost_ = 0;
    for (int left = columns_; left > 0; --left) {
        row_seen_[row] = 1;
        double lowest = infinity;
        int found = -1;
        for (int i = 0; i < left; ++i) {
            const int column = remaining_[i];
            const double reached = path_cost_ + cost(row, column) - row_price_[row] - column_price_[column];
            if (reached < shortest_[column]) {
                shortest_[column] = reached;
                previous_[column] = row;
            }
            const double best = shortest_[column];
            if (best < lowest || (best == lowest && row_of_[column] < 0)) {
                lowest = best;
                found = i;
            }
        }
        if (found < 0 || lowest == infinity) return -1;
        path_cost_ = lowest;
        const int column = remaining_[found];
        if (row_of_[column] < 0) {
            column_seen_[column] = 1;
            return column;
        }
        row = row_of_[column];
        column_seen_[column] = 1;
        remaining_[found] = remaining_[left - 1];
    }
    return -1;
}

void Assignment::update_prices(int row) noexcept {
    row_price_[row] += path_cost_;
    for (int i = 0; i < rows_; ++i)
        if (row_seen_[i] && i != row) row_price_[i] += path_cost_ - shortest_[column_of_[i]];
    for (int j = 0; j < columns_; ++j)
        if (column_seen_[j]) column_price_[j] -= path_cost_ - shortest_[j];
}

void Assignment::augment(int row, int column) noexcept {
    for (int i = -1; i != row;) {
        i = previous_[column];
        row_of_[column] = i;
        std::swap(column_of_[i], column);
    }
}

}  // namespace fastpose
