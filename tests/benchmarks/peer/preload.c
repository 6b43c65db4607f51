/* Preloaded into the peer only. Two independent things, each behind a macro (compare.sh builds one library for each):
   LOADER: libLibTorchSharp.so is built against a newer libstdc++ than Debian 12's and wants one function of it, which only makes sure
           that the standard streams are constructed; any program that uses iostreams has done that already.
   AVX512: MKL asks itself whether it runs on an Intel processor before it uses AVX-512; this answers yes. */
#ifdef LOADER
void _ZSt21ios_base_library_initv(void) {}
#endif
#ifdef AVX512
int mkl_serv_intel_cpu_true(void) { return 1; }
#endif
