//! stub
fn main() -> std::process::ExitCode {
    hookway::cli::main()
}
