/** A module that is loaded when it is first used: what most programs never call, or load later anyway, shall not cost their start. */
export function lazily<Module>(load: () => Module): () => Module {
  let loaded: Module | undefined;
  return () => (loaded ??= load());
}
