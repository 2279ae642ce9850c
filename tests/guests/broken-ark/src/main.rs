//! A guest that does not compile.

fn main() {
    let answer: u32 = "forty-two";
}
