//! The program `hookway`: hands over to [`hookway::cli`].

/// Cheaper than the system's allocator for the many small pieces of a request; `docs/performance.md` has figures.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    hookway::cli::main()
}
