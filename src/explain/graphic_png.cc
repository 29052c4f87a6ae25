// A graphic as PNG, by Cairo. Words are cut into pieces, each of the first font that has its characters: fontconfig's
// list for sans-serif, which ends with those that have Chinese.
#include <cairo-ft.h>
#include <cairo.h>
#include <fontconfig/fontconfig.h>

#include <cmath>
#include <memory>

#include "base/check.h"
#include "explain/graphic.h"
#include "tensor/unicode.h"

namespace heed::explain {
namespace {

template <auto destroy>
struct Destroyer {
  void operator()(auto* thing) const { destroy(thing); }
};
using Surface = std::unique_ptr<cairo_surface_t, Destroyer<cairo_surface_destroy>>;
using Pen = std::unique_ptr<cairo_t, Destroyer<cairo_destroy>>;
using Face = std::unique_ptr<cairo_font_face_t, Destroyer<cairo_font_face_destroy>>;

class Fonts {
 public:
  Fonts() {
    FcPattern* wanted = FcNameParse(reinterpret_cast<const FcChar8*>("sans-serif"));
    FcConfigSubstitute(nullptr, wanted, FcMatchPattern), FcDefaultSubstitute(wanted);
    FcResult result = FcResultNoMatch;
    sorted_ = FcFontSort(nullptr, wanted, FcTrue, nullptr, &result);
    FcPatternDestroy(wanted);
    if (!sorted_ || sorted_->nfont == 0)
      throw Error(ErrorKind::system, "png", "there is no font to write with", "apt-get install fonts-dejavu-core");
    faces_.resize(static_cast<size_t>(sorted_->nfont));
  }
  ~Fonts() { FcFontSetDestroy(sorted_); }
  Fonts(const Fonts&) = delete;
  Fonts& operator=(const Fonts&) = delete;

  // The number of the first font that has it; of none the first.
  size_t with(uint32_t code) const {
    for (int n = 0; n < sorted_->nfont; ++n) {
      FcCharSet* has = nullptr;
      if (FcPatternGetCharSet(sorted_->fonts[n], FC_CHARSET, 0, &has) == FcResultMatch && FcCharSetHasChar(has, code))
        return static_cast<size_t>(n);
    }
    return 0;
  }
  cairo_font_face_t* face(size_t n) {
    if (!faces_[n]) faces_[n].reset(cairo_ft_font_face_create_for_pattern(sorted_->fonts[n]));
    return faces_[n].get();
  }

 private:
  FcFontSet* sorted_ = nullptr;
  std::vector<Face> faces_;
};

struct Piece {
  size_t font;
  std::string text;
};
std::vector<Piece> pieces_of(std::string_view text, const Fonts& fonts) {
  std::vector<Piece> pieces;
  while (!text.empty()) {
    const Character next = next_character(text);
    const size_t font = fonts.with(next.code);
    if (pieces.empty() || pieces.back().font != font) pieces.push_back({font, ""});
    pieces.back().text += text.substr(0, next.bytes);
    text.remove_prefix(next.bytes);
  }
  return pieces;
}

class Painter {
 public:
  explicit Painter(cairo_t* pen) : pen_(pen) {}

  void operator()(const Box& box) {
    ink(box.fill);
    cairo_rectangle(pen_, box.at.x, box.at.y, box.width, box.height), cairo_fill(pen_);
  }
  void operator()(const Stroke& stroke) {
    ink(stroke.ink);
    cairo_set_line_width(pen_, stroke.width), cairo_set_line_join(pen_, CAIRO_LINE_JOIN_ROUND);
    cairo_new_path(pen_);  // where a text ended does not belong to it
    for (const Place& point : stroke.points) cairo_line_to(pen_, point.x, point.y);
    cairo_stroke(pen_);
  }
  void operator()(const Words& words) {
    const std::vector<Piece> pieces = pieces_of(printable(words.text), fonts_);
    cairo_save(pen_);
    cairo_translate(pen_, words.at.x, words.at.y);
    if (words.upward) cairo_rotate(pen_, -M_PI / 2);
    ink(words.ink), cairo_set_font_size(pen_, words.size);
    double width = 0;
    for (const Piece& piece : pieces) width += advance(piece);
    cairo_move_to(pen_, words.side == Side::left ? 0 : words.side == Side::middle ? -width / 2 : -width, 0);
    for (const Piece& piece : pieces) {
      cairo_set_font_face(pen_, fonts_.face(piece.font));
      cairo_show_text(pen_, piece.text.c_str());
    }
    cairo_restore(pen_);
  }

 private:
  void ink(Colour c) { cairo_set_source_rgb(pen_, c.red / 255.0, c.green / 255.0, c.blue / 255.0); }
  double advance(const Piece& piece) {
    cairo_set_font_face(pen_, fonts_.face(piece.font));
    cairo_text_extents_t extents;
    cairo_text_extents(pen_, piece.text.c_str(), &extents);
    return extents.x_advance;
  }
  cairo_t* pen_;
  Fonts fonts_;
};

void check_cairo(cairo_status_t status) {
  if (status != CAIRO_STATUS_SUCCESS) fail(ErrorKind::system, "png", "{}", cairo_status_to_string(status));
}
cairo_status_t append(void* bytes, const unsigned char* data, unsigned size) {
  static_cast<std::string*>(bytes)->append(reinterpret_cast<const char*>(data), size);
  return CAIRO_STATUS_SUCCESS;
}

}  // namespace

std::string png(const Graphic& graphic, double scale) {
  const auto pixels = [&](double size) { return static_cast<int>(std::ceil(size * scale)); };
  const Surface surface(cairo_image_surface_create(CAIRO_FORMAT_RGB24, pixels(graphic.width), pixels(graphic.height)));
  const Pen pen(cairo_create(surface.get()));
  cairo_scale(pen.get(), scale, scale);
  Painter painter(pen.get());
  painter(Box{{}, graphic.width + 1, graphic.height + 1, kPaper});  // the last pixels too, where they are a part of one
  for (const auto& part : graphic.parts) std::visit(painter, part);
  check_cairo(cairo_status(pen.get()));
  std::string bytes;
  check_cairo(cairo_surface_write_to_png_stream(surface.get(), append, &bytes));
  return bytes;
}

}  // namespace heed::explain
