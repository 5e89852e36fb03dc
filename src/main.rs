//! The program `hookway`: hands over to [`hookway::cli`].

/// Costs a fifth less processor time per event than the system's allocator; `docs/performance.md` has figures.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> std::process::ExitCode {
    hookway::cli::main()
}
