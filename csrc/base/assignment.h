// Optimal assignment of rows to columns with the least sum of costs.
#pragma once
#include <span>
#include <vector>

namespace fastpose {

// Thread-bound; allocates in the constructor only.
class Assignment {
  public:
    explicit Assignment(int largest);  // of rows and columns

    // costs: (rows, columns) row-major, finite. Fills column_of_row[0..rows) with a column each, -1 for the
    // rows that are left over where there are more rows than columns. Equal sums: the lowest columns in the
    // order of scipy.optimize.linear_sum_assignment.
    void solve(std::span<const double> costs, int rows, int columns, std::span<int> column_of_row) noexcept;

  private:
    [[nodiscard]] int shortest_path(int row) noexcept;
    void update_prices(int row) noexcept;
    void augment(int row, int column) noexcept;
    [[nodiscard]] double cost(int row, int column) const noexcept;

    std::span<const double> costs_{};
    int rows_ = 0, columns_ = 0;  // rows_ <= columns_, transposed if need be
    bool transposed_ = false;
    double path_cost_ = 0;
    std::vector<double> row_price_, column_price_, shortest_;
    std::vector<int> column_of_, row_of_, previous_, remaining_;
    std::vector<char> row_seen_, column_seen_;
};

}  // namespace fastpose
