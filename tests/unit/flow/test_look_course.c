/* All features of a minute of flow, of several kinds of flow: what the shipped
 * network was trained on, and what it says. */
#include "lib/flow/nature.h"

#include "tests/unit/flow/course.h"

#define N WR_LOOK_SAMPLES

/* A minute as a YF-S201 counts it: 7.5 pulses for each L/min. */
static void count_pulses(double rest, double lpm, float *x) {
  static double carried;
  carried = (rest >= 0 ? rest : carried) + lpm * 7.5;
  int pulses = (int)carried;
  carried -= pulses;
  *x = (float)(pulses / 7.5);
}

static double flow_of(int kind, int i) {
  switch (kind) {
  case 0: /* steady, counted */
    return 9.97;
  case 1: /* a tap is moved within three seconds */
    return i < 41 ? 10 : i < 44 ? 10 - 1.5 * (i - 40) : 5.5;
  case 2: /* air */
    return i % 7 == 3 || i % 11 == 5 ? 4.5 + course_noise() : 10;
  case 3: /* rough */
    return 9.3 + 1.1 * course_noise();
  case 4: /* swings of nine seconds, growing */
    return 10 + (i % 9 < 5 ? 1 : -1) * (0.5 + i / 40.0);
  case 5: /* pulses too many, now and then */
    return i % 13 == 4 || i % 17 == 2 ? 19 + 3 * course_noise() : 10;
  default: /* a coarse sensor at little flow */
    return 1.3 + 0.02 * i;
  }
}

static void say_all(const char *what, const float *values, int count) {
  course_put("%s", what);
  for (int i = 0; i < count; i++)
    course_put("%s%.3g", i % 8 == 0 ? "\n " : " ",
               values[i] > -1e-6f && values[i] < 1e-6f ? 0 : (double)values[i]);
  course_put("\n");
}

/* The features of this kind of flow, and the scores. */
static void look_at(int kind, int count, float quantum) {
  float x[N], features[WR_LOOK_COUNT], inputs[WR_LOOK_COUNT];
  float scores[WR_NATURE_COUNT];
  course_random = 7;
  for (int i = 0; i < N; i++)
    count_pulses(i == 0 ? 0.4 : -1, flow_of(kind, i), x + i);
  wr_look(x + N - count, (size_t)count, quantum, features);
  wr_nature_inputs(features, inputs);
  wr_nature(inputs, scores);
  course_put("kind %d, %d s, ", kind, count);
  say_all("features", features, WR_LOOK_COUNT);
  course_put("quantum %.4g, ",
             (double)wr_look_quantum(x + N - count, (size_t)count));
  say_all("scores", scores, WR_NATURE_COUNT);
}

static void test_steady(void) {
  course_begin();
  look_at(0, N, 0);
  course_is("kind 0, 60 s, features\n"
            " 9.87 10 9.96 9.87 9.87 9.87 10 10\n"
            " -7.73e-05 0.0127 -0.0127 0.00991 -4.52 -5.3 -4.31 -4.03\n"
            " -4.03 -4.52 -4.6 -4.62 -5.26 -5.08 -0.0472 0.952\n"
            " 0.951 0.952 0.953 0.953 0.953 -4.51 -4.49 -4.52\n"
            " -4.55 -4.57 -4.57 0.0127 0.0127 0.0127 0.0127 0.0127\n"
            " 0.0255 0.051 0.115 0.166 0.344 0 0 -0.0127\n"
            " -0.0127 -0.0127 0 0 0.0946 0.0686 0.035 0\n"
            " 0 0 0 0 0 0 0 0\n"
            " 1 0.956 0 0.0127 0 0 0 0\n"
            " 0.228 0.45 -0.416 1 0.0127\n"
            "quantum 0.1333, scores\n"
            " 0.996 0 0 0 0 0\n");
}

static void test_tap(void) {
  course_begin();
  look_at(1, N, 0);
  course_is("kind 1, 60 s, features\n"
            " 5.47 5.6 5.49 5.47 5.47 5.47 5.47 5.6\n"
            " -0.00027 0.0222 -0.0222 -0.00636 -4.28 -5.3 -3.92 -3.6\n"
            " -3.43 -4.28 -4.31 -4.48 -5.19 -5.07 -0.122 0.912\n"
            " 0.917 0.917 0.992 1.22 1.44 -5.3 -4.28 -4.28\n"
            " -1.6 -1.02 -1.07 0 0.0222 0.0222 0.756 0.756\n"
            " 0.0445 0.089 0.934 0.934 0.934 0 0 -0.756\n"
            " -0.756 -0.756 0 0 0.793 0.793 0.793 0\n"
            " 0 0.158 0.103 0.0508 0 0 0 0\n"
            " 0.267 1.67 0 0.0222 0 0 0 0\n"
            " 0 0 0.632 1 0.0222\n"
            "quantum 0.1333, scores\n"
            " 0.996 0 0 0 0 0\n");
}

static void test_air(void) {
  course_begin();
  look_at(2, N, 0);
  course_is("kind 2, 60 s, features\n"
            " 4.4 10 8.89 10 4.4 4.53 10 10\n"
            " -0.0149 0.582 -0.596 -0.532 -1.42 -5.3 -1.07 -0.509\n"
            " -0.595 -1.44 -1.72 -1.74 -3.78 -2.79 -0.148 0.866\n"
            " 0.945 0.947 0.957 0.948 0.939 -1.25 -1.41 -1.42\n"
            " -1.51 -1.42 -1.4 0.596 0.596 0.596 0.596 0.681\n"
            " 0.596 1.76 3.69 6.42 13.4 -0.596 -0.596 -0.596\n"
            " -0.596 -0.596 0.968 0.335 0.161 0.0926 0.0443 0.25\n"
            " 0.333 0.368 0.379 0.407 0.222 0.316 0.345 0.373\n"
            " 0 1.06 0 0.681 0.15 0.2 0 0\n"
            " 0.853 0.7 -0.41 1 0\n"
            "quantum 0, scores\n"
            " 0.633 0.367 0 0 0 0\n");
}

static void test_rough(void) {
  course_begin();
  look_at(3, N, 0.25f);
  course_is("kind 3, 60 s, features\n"
            " 8.27 10.3 9.01 9.2 8.27 8.53 8.93 9.47\n"
            " -0.00764 0.168 -0.0841 -0.0666 -2.74 -3.06 -2.48 -1.75\n"
            " -1.95 -2.81 -2.9 -3.24 -3.89 -3.57 0.109 0.911\n"
            " 0.922 0.947 0.966 0.966 0.976 -3.07 -3.02 -2.74\n"
            " -2.68 -2.68 -2.63 0.0981 0.112 0.21 0.224 0.224\n"
            " 0.252 0.575 1.4 2.26 4.72 -0.112 -0.0981 -0.0841\n"
            " -0.0981 -0.042 0.412 0.165 0.0592 0.0431 0.00886 0.75\n"
            " 0.667 0.737 0.724 0.695 0.444 0.474 0.483 0.525\n"
            " 0.0167 0.981 0.028 0.168 0 0.133 0.15 0.15\n"
            " 0.213 0.15 -0.351 1 0.0263\n"
            "quantum 0.1333, scores\n"
            " 0.613 0 0.328 0 0 0.0586\n");
}

static void test_swings(void) {
  course_begin();
  look_at(4, N, 0);
  course_is("kind 4, 60 s, features\n"
            " 8 12 10 8.27 8 8.13 10.1 11.9\n"
            " 0.0306 0.342 -0.38 0.286 -1.71 -1.74 -1.74 -0.956\n"
            " -1.5 -1.85 -2.19 -2.24 -2.6 -2.64 0.471 1.01\n"
            " 1.06 0.953 0.968 0.971 0.967 -1.71 -1.88 -1.71\n"
            " -1.78 -1.85 -2.06 0.38 0.38 0.38 0.38 0.38\n"
            " 0.392 0.759 1.75 2.29 3.45 -0.367 -0.0253 -0.329\n"
            " -0.316 -0.24 0.89 0.0325 0.186 0.137 0.0692 0.25\n"
            " 0.222 0.263 0.241 0.22 0.111 0.211 0.207 0.203\n"
            " 0 1.01 0 0.228 0.2 0.2 0 0\n"
            " 0.974 0.45 -0.0107 1 0.0127\n"
            "quantum 0.1333, scores\n"
            " 0 0.957 0 0.043 0 0\n");
}

static void test_pulses(void) {
  course_begin();
  look_at(5, 37, 0);
  course_is("kind 5, 37 s, features\n"
            " 10 16.4 11.3 10 10 10 10 16.3\n"
            " 0.000206 0.544 -0.544 0.154 -1.51 -5.3 -1.01 -0.6\n"
            " -0.409 -1.51 -1.57 -1.86 -5.2 -2.68 -0.274 0.85\n"
            " 0.959 0.958 0.938 0.958 0.938 -5.3 -1.5 -1.51\n"
            " -1.53 -1.36 -1.45 0 0.544 0.544 0.691 0.952\n"
            " 1.09 2.15 3.54 5.97 6.5 0 0 0\n"
            " -0.533 0 0 0 0 0.0889 0 0.5\n"
            " 0.444 0.316 0.31 0.278 0.333 0.263 0.276 0.25\n"
            " 0.0333 0.85 0 0.691 0 0 0.15 0.135\n"
            " 0.48 0.65 -0.5 0.617 0\n"
            "quantum 0, scores\n"
            " 0.312 0 0 0 0.688 0\n");
}

static void test_little_flow(void) {
  course_begin();
  look_at(6, N, 0);
  course_is("kind 6, 60 s, features\n"
            " 2.27 2.53 2.39 2.27 2.4 2.27 2.4 2.4\n"
            " 0.00588 0.0462 -0.0462 0.0374 -3.51 -5.3 -3.23 -2.97\n"
            " -2.72 -3.76 -3.77 -3.99 -4.08 -5.01 -0.00297 0.847\n"
            " 0.841 0.827 0.792 0.758 0.654 -3.62 -3.75 -3.51\n"
            " -3.06 -2.69 -2.07 0.0462 0.0462 0.0924 0.139 0.231\n"
            " 0.0924 0.231 0.37 0.647 1.2 0 0.0462 0.0924\n"
            " 0.185 0.37 0 0.184 0.237 0.277 0.303 0\n"
            " 0 0 0 0 0 0 0 0\n"
            " 1 0.647 0 0.0462 0 0 0 0\n"
            " 0.717 0.15 -0.621 1 0.0462\n"
            "quantum 0.1333, scores\n"
            " 0.996 0 0 0 0 0\n");
}

static void test_short(void) {
  course_begin();
  look_at(2, 10, 0);
  look_at(4, 19, 0.5f);
  look_at(4, 20, 0);
  course_is("kind 2, 10 s, features\n"
            " 4.4 10 8.89 10 4.4 4.53 10 10\n"
            " -0.0149 0.582 -0.596 -0.532 -1.42 -5.3 -1.07 -0.509\n"
            " -0.595 -1.44 -1.72 -1.74 -3.78 -2.79 -0.148 0.866\n"
            " 0.945 0.947 0.947 0.947 0.947 -1.25 -1.41 -1.42\n"
            " -1.42 -1.42 -1.42 0.596 0.596 0.596 0.596 0.596\n"
            " 0.596 1.76 1.76 1.76 1.76 -0.596 -0.596 -0.596\n"
            " -0.596 -0.596 0.968 0.335 0.335 0.335 0.335 0.25\n"
            " 0.333 0.333 0.333 0.333 0.222 0.222 0.222 0.222\n"
            " 0 0.947 0 0 0.1 0.1 0 0\n"
            " 0 0 -0.328 0.167 0\n"
            "quantum 0, scores\n"
            " 0.0742 0.926 0 0 0 0\n"
            "kind 4, 19 s, features\n"
            " 8 12 10 8.27 8 8.13 10.1 11.9\n"
            " 0.0306 0.342 -0.38 0.286 -1.71 -1.74 -1.74 -0.956\n"
            " -1.5 -1.85 -2.19 -2.24 -2.6 -2.64 0.471 1.01\n"
            " 1.06 0.953 0.961 0.961 0.961 -1.71 -1.88 -1.71\n"
            " -1.77 -1.77 -1.77 0.38 0.38 0.38 0.38 0.38\n"
            " 0.392 0.759 1.47 1.47 1.47 -0.367 -0.0253 -0.0506\n"
            " -0.0506 -0.0506 0.89 0.0325 0.034 0.034 0.034 0.25\n"
            " 0.222 0.222 0.222 0.222 0.111 0.167 0.167 0.167\n"
            " 0 0.953 0 0 0.105 0.105 0 0\n"
            " 0 0 -0.0201 0.317 0.0474\n"
            "quantum 0.1333, scores\n"
            " 0.113 0.0234 0.156 0.00391 0 0.699\n"
            "kind 4, 20 s, features\n"
            " 8 12 10 8.27 8 8.13 10.1 11.9\n"
            " 0.0306 0.342 -0.38 0.286 -1.71 -1.74 -1.74 -0.956\n"
            " -1.5 -1.85 -2.19 -2.24 -2.6 -2.64 0.471 1.01\n"
            " 1.06 0.953 0.968 0.968 0.968 -1.71 -1.88 -1.71\n"
            " -1.78 -1.78 -1.78 0.38 0.38 0.38 0.38 0.38\n"
            " 0.392 0.759 1.75 1.75 1.75 -0.367 -0.0253 -0.329\n"
            " -0.329 -0.329 0.89 0.0325 0.186 0.186 0.186 0.25\n"
            " 0.222 0.263 0.263 0.263 0.111 0.211 0.211 0.211\n"
            " 0 1.1 0.0127 0.304 0.2 0.2 0 0\n"
            " 0.988 0.45 -0.0107 0.333 0.0127\n"
            "quantum 0.1333, scores\n"
            " 0.00391 0.953 0 0.0234 0.0117 0.00781\n");
}

UNIT_MAIN("look, its course", UNIT(test_steady), UNIT(test_tap), UNIT(test_air),
          UNIT(test_rough), UNIT(test_swings), UNIT(test_pulses),
          UNIT(test_little_flow), UNIT(test_short))
