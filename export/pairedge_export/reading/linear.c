/* Small matrices. */
#include <math.h>

#include "steps.h"

/* X with A X = B: normal equations, solved by Gauss-Jordan elimination; an unknown that those before it
 * already explain is set to 0. The table is A and B side by side, and X takes the place of B. */
void solve(int count, int targets, double table[6][9]) {
    double diagonal[6];
    for (int k = 0; k < count; k++) diagonal[k] = table[k][k];
    for (int k = 0; k < count; k++) {
        double pivot = table[k][k];
        int dependent = pivot <= (float)1e-6 * (float)diagonal[k];
        for (int j = 0; j < count + targets; j++) table[k][j] = dependent ? 0 : table[k][j] / pivot;
        for (int i = 0; i < count && !dependent; i++) {
            double factor = table[i][k];
            if (i == k) continue;
            for (int j = 0; j < count + targets; j++) table[i][j] -= factor * table[k][j];
        }
    }
}

static void divide_by_trace(double matrix[3][3]) {
    double trace = matrix[0][0] + matrix[1][1] + matrix[2][2];
    for (int i = 0; i < 9; i++) matrix[i / 3][i % 3] /= trace;
}

/* The largest eigenvalue of a matrix, and its eigenvector of length 1: power iteration. */
double principal_axis(double matrix[3][3], double axis[3]) {
    double power[3][3], square[3][3], value = 0;
    int best = 0;
    for (int i = 0; i < 9; i++) power[i / 3][i % 3] = matrix[i / 3][i % 3];
    divide_by_trace(power);
    for (int squaring = 0; squaring < 6; squaring++) {
        for (int i = 0; i < 9; i++) {
            const double *row = power[i / 3];
            square[i / 3][i % 3] = row[0] * power[0][i % 3] + row[1] * power[1][i % 3] + row[2] * power[2][i % 3];
        }
        for (int i = 0; i < 9; i++) power[i / 3][i % 3] = square[i / 3][i % 3];
        divide_by_trace(power);
    }
    for (int i = 1; i < 3; i++)
        if (power[i][i] > power[best][best]) best = i;
    double length = sqrt(power[best][0] * power[best][0] + power[best][1] * power[best][1] +
                         power[best][2] * power[best][2]);
    for (int i = 0; i < 3; i++) axis[i] = power[best][i] / length;
    for (int i = 0; i < 3; i++)
        value += (axis[0] * matrix[0][i] + axis[1] * matrix[1][i] + axis[2] * matrix[2][i]) * axis[i];
    return value;
}
