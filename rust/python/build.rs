//! Makes the interpreter's properties (`Py_GIL_DISABLED`) known to the compiler.

fn main() {
    pyo3_build_config::use_pyo3_cfgs();
}
