/** The numbers of the helpers that iterator programs use, in `enum bpf_func_id`, under the kernel's names. */
export const iterHelperIds = {
  get_current_task: 35,
  probe_read_kernel: 113,
  probe_read_kernel_str: 115,
  seq_printf: 126,
  seq_write: 127,
  seq_printf_btf: 150,
  get_current_task_btf: 158,
} as const;
