//! The program `hookway`: hands over to [`hookway::cli`].

/// Requests allocate on one thread and free on another, which the system's allocator pays for with a third of all
/// time; `docs/performance.md` has figures.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> std::process::ExitCode {
    hookway::cli::main()
}
