//! A process that can do nothing but compute, and a server that forks such processes.
