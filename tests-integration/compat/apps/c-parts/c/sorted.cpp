#include <algorithm>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

namespace {
struct Shape {
    virtual ~Shape() = default;
    virtual int corners() const = 0;
};
struct Square : Shape {
    int corners() const override { return 4; }
};
} // namespace

extern "C" int median(const int *numbers, int count) {
    std::vector<int> sorted(numbers, numbers + count);
    std::sort(sorted.begin(), sorted.end());
    return sorted[sorted.size() / 2];
}

extern "C" int words_and_corners(int count) {
    std::vector<std::string> words;
    for (int i = 0; i < count; i++)
        words.push_back(std::to_string(i));
    std::string all = std::accumulate(words.begin(), words.end(), std::string());
    std::unique_ptr<Shape> shape = std::make_unique<Square>();
    return static_cast<int>(all.size()) * 10 + shape->corners();
}
