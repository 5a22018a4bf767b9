// Optimal assignment against every permutation there is.
#include "base/assignment.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <set>
#include <vector>

#include "allocation_counter.h"

namespace fastpose {
namespace {

double total(const std::vector<double>& costs, int columns, const std::vector<int>& column_of_row) {
    double sum = 0;
    for (std::size_t row = 0; row < column_of_row.size(); ++row)
        if (column_of_row[row] >= 0) sum += costs[row * columns + column_of_row[row]];
    return sum;
}

// The least sum over all ways to give each row of the shorter side a partner of its own.
double least_by_brute_force(const std::vector<double>& costs, int rows, int columns) {
    std::vector<int> longer(std::max(rows, columns));
    std::iota(longer.begin(), longer.end(), 0);
    double least = std::numeric_limits<double>::infinity();
    do {
        double sum = 0;
        for (int i = 0; i < std::min(rows, columns); ++i)
            sum += rows <= columns ? costs[i * columns + longer[i]] : costs[longer[i] * columns + i];
        least = std::min(least, sum);
    } while (std::next_permutation(longer.begin(), longer.end()));
    return least;
}

void expect_valid(const std::vector<int>& column_of_row, int columns) {
    std::multiset<int> taken(column_of_row.begin(), column_of_row.end());
    const int rows = static_cast<int>(column_of_row.size());
    EXPECT_EQ(taken.count(-1), static_cast<std::size_t>(std::max(0, rows - columns)));
    for (int column = 0; column < columns; ++column) EXPECT_LE(taken.count(column), 1U);
}

TEST(Assignment, LeastSumOfAllPermutations) {
    std::mt19937 random(1);
    std::uniform_real_distribution<double> uniform(-5, 5);
    Assignment assignment(6);  // one for all: nothing may remain of the last problem
    for (int round = 0; round < 400; ++round) {
        const int rows = 1 + static_cast<int>(random() % 6), columns = 1 + static_cast<int>(random() % 6);
        std::vector<double> costs(static_cast<std::size_t>(rows) * columns);
        for (double& cost : costs) cost = round % 2 == 0 ? uniform(random) : std::round(uniform(random) / 2);
        std::vector<int> column_of_row(rows, -7);
        assignment.solve(costs, rows, columns, column_of_row);
        expect_valid(column_of_row, columns);
        EXPECT_NEAR(total(costs, columns, column_of_row), least_by_brute_force(costs, rows, columns), 1e-9);
    }
}

TEST(Assignment, NearestFirstIsNotTheBest) {
    const std::vector<double> costs{1, 2, 2, 9};  // greedy takes 1 and then has to pay 9
    std::vector<int> column_of_row(2);
    Assignment(2).solve(costs, 2, 2, column_of_row);
    EXPECT_EQ(column_of_row, (std::vector{1, 0}));
}

TEST(Assignment, NoRowsAndNoColumns) {
    std::vector<int> column_of_row(2, 5);
    Assignment assignment(2);
    assignment.solve({}, 0, 2, column_of_row);
    EXPECT_EQ(column_of_row, (std::vector{5, 5}));
    assignment.solve({}, 2, 0, column_of_row);
    EXPECT_EQ(column_of_row, (std::vector{-1, -1}));
}

TEST(Assignment, AllocatesNothing) {
    const std::vector<double> costs{3, 1, 2, 4, 6, 5, 9, 7, 8, 1, 1, 1};
    std::vector<int> column_of_row(4);
    Assignment assignment(4);
    start_counting_allocations();
    for (int i = 0; i < 100; ++i) assignment.solve(costs, i % 2 ? 3 : 4, i % 2 ? 4 : 3, column_of_row);
    EXPECT_EQ(stop_counting_allocations(), 0);
}

}  // namespace
}  // namespace fastpose
