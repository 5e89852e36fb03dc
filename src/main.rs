//! The program `hookway`: hands over to [`hookway::cli`].

fn main() -> std::process::ExitCode {
    hookway::cli::main()
}
