/*
 * What is known of the names that pickles import.  The longest entry that is
 * the name, or a package of it, counts.  The dangerous ones are those that the
 * scanners of the field agree on (picklescan, fickling, modelscan, and the
 * advisories about what they missed); the harmless ones are what torch.load
 * (weights_only=True, torch/_weights_only_unpickler.py) and NumPy's own
 * pickles need.
 */
#include <stddef.h>
#include <string.h>

#include "load/audit.h"

struct known {
	const char *name;
	enum audit_level level;
	const char *why;
};

static const char runs[] = "runs commands or programs", evaluates[] = "runs Python code", reads[] = "reads or writes files",
	talks[] = "opens network connections", unpickles[] = "unpickles more data", finds[] = "reaches any function by its name",
	native[] = "loads or calls native code", builds[] = "builds functions from bytes", installs[] = "installs or builds packages",
	debugs[] = "runs Python code under a debugger, profiler or test runner", spawns[] = "starts threads or processes",
	loads[] = "loads models, which may run code", direct[] = "names in it, not in its modules", disarms[] = "changes a scanner of pickles";

static const struct known names[] = {
	{ "os", AUDIT_DANGER, runs }, { "posix", AUDIT_DANGER, runs }, { "nt", AUDIT_DANGER, runs }, { "subprocess", AUDIT_DANGER, runs },
	{ "_posixsubprocess", AUDIT_DANGER, runs }, { "commands", AUDIT_DANGER, runs }, { "popen2", AUDIT_DANGER, runs }, { "pty", AUDIT_DANGER, runs },
	{ "pexpect", AUDIT_DANGER, runs }, { "webbrowser", AUDIT_DANGER, runs }, { "antigravity", AUDIT_DANGER, runs }, { "platform", AUDIT_DANGER, runs },
	{ "_aix_support", AUDIT_DANGER, runs }, { "_osx_support", AUDIT_DANGER, runs }, { "_pyrepl", AUDIT_DANGER, runs }, { "uuid", AUDIT_DANGER, runs },
	{ "uuid.UUID", AUDIT_NOTE, NULL }, { "uuid.SafeUUID", AUDIT_NOTE, NULL }, { "mailcap", AUDIT_DANGER, runs }, { "pipes", AUDIT_DANGER, runs },
	{ "sys", AUDIT_DANGER, "changes the interpreter" }, { "gc", AUDIT_DANGER, "reaches all objects" }, { "signal", AUDIT_DANGER, "sends signals" },
	{ "resource", AUDIT_DANGER, "changes limits of the process" }, { "builtins", AUDIT_DANGER, evaluates }, { "__builtin__", AUDIT_DANGER, evaluates },
	{ "__builtins__", AUDIT_DANGER, evaluates }, { "code", AUDIT_DANGER, evaluates }, { "codeop", AUDIT_DANGER, evaluates }, { "runpy", AUDIT_DANGER, evaluates },
	{ "importlib", AUDIT_DANGER, "imports modules" }, { "imp", AUDIT_DANGER, "imports modules" }, { "pkgutil", AUDIT_DANGER, "imports modules" },
	{ "zipimport", AUDIT_DANGER, "imports modules" }, { "site", AUDIT_DANGER, evaluates }, { "timeit", AUDIT_DANGER, evaluates }, { "this", AUDIT_REVIEW, NULL },
	{ "profile", AUDIT_DANGER, debugs }, { "cProfile", AUDIT_DANGER, debugs }, { "pdb", AUDIT_DANGER, debugs }, { "bdb", AUDIT_DANGER, debugs },
	{ "trace", AUDIT_DANGER, debugs }, { "doctest", AUDIT_DANGER, debugs }, { "unittest", AUDIT_DANGER, debugs }, { "test", AUDIT_DANGER, debugs },
	{ "idlelib", AUDIT_DANGER, debugs }, { "lib2to3", AUDIT_DANGER, debugs }, { "pydoc", AUDIT_DANGER, debugs }, { "turtledemo", AUDIT_DANGER, debugs },
	{ "operator", AUDIT_DANGER, finds }, { "_operator", AUDIT_DANGER, finds }, { "functools", AUDIT_DANGER, "calls any function later" },
	{ "_functools", AUDIT_DANGER, "calls any function later" }, { "itertools", AUDIT_REVIEW, "calls functions" }, { "types", AUDIT_DANGER, builds },
	{ "types.SimpleNamespace", AUDIT_NOTE, NULL }, { "marshal", AUDIT_DANGER, builds }, { "inspect", AUDIT_DANGER, finds }, { "ast", AUDIT_REVIEW, NULL },
	{ "pickle", AUDIT_DANGER, unpickles }, { "_pickle", AUDIT_DANGER, unpickles }, { "cPickle", AUDIT_DANGER, unpickles }, { "dill", AUDIT_DANGER, unpickles },
	{ "cloudpickle", AUDIT_DANGER, unpickles }, { "joblib", AUDIT_DANGER, unpickles }, { "shelve", AUDIT_DANGER, unpickles },
	{ "torch.storage._load_from_bytes", AUDIT_DANGER, unpickles }, { "numpy.load", AUDIT_DANGER, unpickles }, { "numpy.lib.npyio", AUDIT_DANGER, unpickles },
	{ "pandas.read_pickle", AUDIT_DANGER, unpickles }, { "pandas.io", AUDIT_DANGER, unpickles }, { "torch.load", AUDIT_DANGER, unpickles },
	{ "torch.serialization", AUDIT_DANGER, unpickles }, { "torch.hub", AUDIT_DANGER, loads }, { "torch.jit", AUDIT_DANGER, loads },
	{ "torch.package", AUDIT_DANGER, loads },
	{ "torch.utils", AUDIT_DANGER, evaluates }, { "torch._inductor", AUDIT_DANGER, evaluates }, { "torch._dynamo", AUDIT_DANGER, evaluates },
	{ "torch.fx", AUDIT_DANGER, evaluates }, { "torch.distributed", AUDIT_DANGER, talks }, { "torch.multiprocessing", AUDIT_DANGER, spawns },
	{ "torch.testing", AUDIT_DANGER, runs }, { "torch.ops", AUDIT_DANGER, native }, { "torch.classes", AUDIT_DANGER, native },
	{ "torch._C", AUDIT_DANGER, native },
	{ "torch._export", AUDIT_DANGER, loads }, { "torch.export", AUDIT_DANGER, loads }, { "torch.cuda", AUDIT_REVIEW, NULL }, { "torch.onnx", AUDIT_REVIEW, NULL },
	{ "numpy.f2py", AUDIT_DANGER, evaluates }, { "numpy.testing", AUDIT_DANGER, evaluates }, { "numpy.distutils", AUDIT_DANGER, installs },
	{ "numpy.ctypeslib", AUDIT_DANGER, native }, { "numpy.save", AUDIT_DANGER, reads }, { "numpy.fromfile", AUDIT_DANGER, reads },
	{ "ctypes", AUDIT_DANGER, native }, { "_ctypes", AUDIT_DANGER, native }, { "cffi", AUDIT_DANGER, native }, { "mmap", AUDIT_DANGER, reads },
	{ "open", AUDIT_DANGER, reads }, { "io", AUDIT_DANGER, reads }, { "_io", AUDIT_DANGER, reads }, { "io.BytesIO", AUDIT_NOTE, NULL },
	{ "_io.BytesIO", AUDIT_NOTE, NULL },
	{ "shutil", AUDIT_DANGER, reads }, { "tempfile", AUDIT_DANGER, reads }, { "pathlib", AUDIT_DANGER, reads }, { "pathlib.Path", AUDIT_NOTE, NULL },
	{ "pathlib.PosixPath", AUDIT_NOTE, NULL }, { "pathlib.WindowsPath", AUDIT_NOTE, NULL }, { "pathlib.PurePosixPath", AUDIT_NOTE, NULL },
	{ "fileinput", AUDIT_DANGER, reads }, { "linecache", AUDIT_DANGER, reads }, { "glob", AUDIT_DANGER, reads }, { "logging", AUDIT_DANGER, reads },
	{ "sqlite3", AUDIT_DANGER, reads }, { "gzip", AUDIT_DANGER, reads }, { "bz2", AUDIT_DANGER, reads }, { "lzma", AUDIT_DANGER, reads },
	{ "zipfile", AUDIT_DANGER, reads },
	{ "tarfile", AUDIT_DANGER, reads }, { "zipapp", AUDIT_DANGER, reads }, { "ensurepip", AUDIT_DANGER, installs }, { "pip", AUDIT_DANGER, installs },
	{ "setuptools", AUDIT_DANGER, installs }, { "distutils", AUDIT_DANGER, installs }, { "venv", AUDIT_DANGER, installs },
	{ "compileall", AUDIT_DANGER, evaluates },
	{ "py_compile", AUDIT_DANGER, evaluates }, { "socket", AUDIT_DANGER, talks }, { "_socket", AUDIT_DANGER, talks }, { "socketserver", AUDIT_DANGER, talks },
	{ "ssl", AUDIT_DANGER, talks }, { "http", AUDIT_DANGER, talks }, { "httplib", AUDIT_DANGER, talks }, { "urllib", AUDIT_DANGER, talks },
	{ "urllib2", AUDIT_DANGER, talks },
	{ "requests", AUDIT_DANGER, talks }, { "aiohttp", AUDIT_DANGER, talks }, { "httpx", AUDIT_DANGER, talks }, { "ftplib", AUDIT_DANGER, talks },
	{ "imaplib", AUDIT_DANGER, talks }, { "poplib", AUDIT_DANGER, talks }, { "nntplib", AUDIT_DANGER, talks }, { "smtplib", AUDIT_DANGER, talks },
	{ "telnetlib", AUDIT_DANGER, talks }, { "xmlrpc", AUDIT_DANGER, talks }, { "asyncio", AUDIT_DANGER, spawns }, { "multiprocessing", AUDIT_DANGER, spawns },
	{ "concurrent", AUDIT_DANGER, spawns }, { "threading", AUDIT_DANGER, spawns }, { "_thread", AUDIT_DANGER, spawns }, { "sched", AUDIT_DANGER, spawns },
	{ "atexit", AUDIT_DANGER, "runs something at the end of the program" }, { "ctypes.util", AUDIT_DANGER, native }, { "code.interact", AUDIT_DANGER, evaluates },
	{ "fickling", AUDIT_DANGER, disarms }, { "nltk", AUDIT_REVIEW, NULL }, { "pyarrow", AUDIT_REVIEW, NULL }, { "keras", AUDIT_DANGER, loads },
	{ "tensorflow", AUDIT_DANGER, loads }, { "hub", AUDIT_REVIEW, NULL }, { "_winapi", AUDIT_DANGER, runs }, { "winreg", AUDIT_DANGER, runs },

	/* builtins that only hold data */
	{ "builtins.set", AUDIT_NOTE, NULL }, { "builtins.frozenset", AUDIT_NOTE, NULL }, { "builtins.dict", AUDIT_NOTE, NULL }, { "builtins.list", AUDIT_NOTE, NULL },
	{ "builtins.tuple", AUDIT_NOTE, NULL }, { "builtins.int", AUDIT_NOTE, NULL }, { "builtins.float", AUDIT_NOTE, NULL }, { "builtins.complex", AUDIT_NOTE, NULL },
	{ "builtins.bool", AUDIT_NOTE, NULL }, { "builtins.str", AUDIT_NOTE, NULL }, { "builtins.bytes", AUDIT_NOTE, NULL },
	{ "builtins.bytearray", AUDIT_NOTE, NULL },
	{ "builtins.slice", AUDIT_NOTE, NULL }, { "builtins.range", AUDIT_NOTE, NULL }, { "builtins.object", AUDIT_NOTE, NULL },
	{ "__builtin__.set", AUDIT_NOTE, NULL }, { "__builtin__.frozenset", AUDIT_NOTE, NULL }, { "__builtin__.dict", AUDIT_NOTE, NULL },
	{ "__builtin__.list", AUDIT_NOTE, NULL }, { "__builtin__.tuple", AUDIT_NOTE, NULL }, { "__builtin__.int", AUDIT_NOTE, NULL },
	{ "__builtin__.long", AUDIT_NOTE, NULL },
	{ "__builtin__.float", AUDIT_NOTE, NULL }, { "__builtin__.complex", AUDIT_NOTE, NULL }, { "__builtin__.bool", AUDIT_NOTE, NULL },
	{ "__builtin__.str", AUDIT_NOTE, NULL },
	{ "__builtin__.unicode", AUDIT_NOTE, NULL }, { "__builtin__.bytearray", AUDIT_NOTE, NULL }, { "__builtin__.bytes", AUDIT_NOTE, NULL },
	{ "torch._dynamo.decorators._DimRange", AUDIT_NOTE, NULL },
	{ "torch.nested", AUDIT_NOTE, NULL }, { "numpy.ma", AUDIT_NOTE, NULL }, { "__builtin__.slice", AUDIT_NOTE, NULL },
	{ "__builtin__.xrange", AUDIT_NOTE, NULL }, { "__builtin__.object", AUDIT_NOTE, NULL }, { "collections", AUDIT_NOTE, NULL }, { "datetime", AUDIT_NOTE, NULL },
	{ "decimal", AUDIT_NOTE, NULL }, { "fractions", AUDIT_NOTE, NULL }, { "_codecs.encode", AUDIT_NOTE, NULL }, { "copyreg._reconstructor", AUDIT_NOTE, NULL },
	{ "copy_reg._reconstructor", AUDIT_NOTE, NULL }, { "argparse.Namespace", AUDIT_NOTE, NULL }, { "enum", AUDIT_NOTE, NULL }, { "__torch__", AUDIT_NOTE, NULL },
	{ "numpy", AUDIT_REVIEW, NULL }, { "numpy.ndarray", AUDIT_NOTE, NULL }, { "numpy.dtype", AUDIT_NOTE, NULL }, { "numpy.dtypes", AUDIT_NOTE, NULL },
	{ "numpy.core.multiarray._reconstruct", AUDIT_NOTE, NULL }, { "numpy.core.multiarray.scalar", AUDIT_NOTE, NULL },
	{ "numpy._core.multiarray._reconstruct", AUDIT_NOTE, NULL }, { "numpy._core.multiarray.scalar", AUDIT_NOTE, NULL },
	{ "numpy.core.numeric._frombuffer", AUDIT_NOTE, NULL }, { "numpy._core.numeric._frombuffer", AUDIT_NOTE, NULL },
	{ "numpy.random", AUDIT_NOTE, NULL }, { "torch", AUDIT_NOTE, direct }, { "torch.compile", AUDIT_DANGER, evaluates }, { "torch.save", AUDIT_DANGER, reads },
	{ "torch.from_file", AUDIT_DANGER, reads }, { "torch.set_default_tensor_type", AUDIT_REVIEW, NULL },
	{ "torch._utils._import_dotted_name", AUDIT_DANGER, finds },
	{ "torch._import_dotted_name", AUDIT_DANGER, finds },
	{ "torch.nn", AUDIT_NOTE, NULL }, { "torchvision", AUDIT_NOTE, NULL }, { "torch._tensor", AUDIT_NOTE, NULL }, { "torch.jit._pickle", AUDIT_NOTE, NULL },
	{ "torch.distributed.fsdp", AUDIT_REVIEW, NULL }, { "torch.optim", AUDIT_NOTE, NULL }, { "torch.serialization._get_layout", AUDIT_NOTE, NULL },
	{ "torch.torch_version.TorchVersion", AUDIT_NOTE, NULL }, { "torch._C._nn", AUDIT_REVIEW, NULL }, { "torch.utils.data", AUDIT_REVIEW, NULL },
	{ "torch.utils.data.datapipes", AUDIT_DANGER, evaluates },
	{ "_frozen_importlib", AUDIT_DANGER, "imports modules" }, { "_frozen_importlib_external", AUDIT_DANGER, "imports modules" },
	{ "_imp", AUDIT_DANGER, "imports modules" },
	{ "_interpreters", AUDIT_DANGER, evaluates }, { "_xxsubinterpreters", AUDIT_DANGER, evaluates }, { "compile", AUDIT_DANGER, evaluates },
	{ "eval", AUDIT_DANGER, evaluates }, { "exec", AUDIT_DANGER, evaluates }, { "dataclasses.make_dataclass", AUDIT_DANGER, evaluates },
	{ "collections.namedtuple", AUDIT_REVIEW, "makes a class from a text" }, { "copyreg", AUDIT_DANGER, "changes how objects are unpickled" },
	{ "copy_reg", AUDIT_DANGER, "changes how objects are unpickled" }, { "copyreg.__newobj__", AUDIT_NOTE, NULL }, { "copy_reg.__newobj__", AUDIT_NOTE, NULL },
	{ "codecs", AUDIT_REVIEW, "decodes what may be hidden" }, { "_codecs", AUDIT_REVIEW, "decodes what may be hidden" },
	{ "_signal", AUDIT_DANGER, "sends signals" },
	{ "_sqlite3", AUDIT_DANGER, reads }, { "fcntl", AUDIT_DANGER, reads }, { "readline", AUDIT_DANGER, reads }, { "filecmp", AUDIT_DANGER, reads },
	{ "difflib", AUDIT_DANGER, reads }, { "syslog", AUDIT_DANGER, reads }, { "posixpath", AUDIT_DANGER, reads }, { "ntpath", AUDIT_DANGER, reads },
	{ "select", AUDIT_DANGER, talks }, { "selectors", AUDIT_DANGER, talks }, { "picklescan", AUDIT_DANGER, disarms }, { "modelscan", AUDIT_DANGER, disarms },
	{ "model_unpickler", AUDIT_DANGER, disarms }, { "modelaudit", AUDIT_DANGER, disarms }, { "sklearn.externals", AUDIT_DANGER, unpickles },
	{ "numpy.core.multiarray.fromfile", AUDIT_DANGER, reads }, { "torchvision.io", AUDIT_DANGER, reads }, { "torchvision.datasets", AUDIT_REVIEW, talks },
	{ "torchvision.datasets.utils", AUDIT_DANGER, talks }, { "torchvision.extension", AUDIT_DANGER, native },
	{ "(extension)", AUDIT_REVIEW, "reaches a function by a number that only the reader knows" },
	{ "(computed)", AUDIT_DANGER, "computes the name of what it imports" },
	{ "torch._utils._rebuild_device_tensor_from_cpu_tensor", AUDIT_NOTE, NULL }, { "torch._utils._rebuild_device_tensor_from_numpy", AUDIT_NOTE, NULL },
	{ "torch._utils._rebuild_meta_tensor_no_storage", AUDIT_NOTE, NULL }, { "torch._utils._rebuild_nested_tensor", AUDIT_NOTE, NULL },
	{ "torch._utils._rebuild_parameter", AUDIT_NOTE, NULL }, { "torch._utils._rebuild_parameter_with_state", AUDIT_NOTE, NULL },
	{ "torch._utils._rebuild_qtensor", AUDIT_NOTE, NULL }, { "torch._utils._rebuild_sparse_tensor", AUDIT_NOTE, NULL },
	{ "torch._utils._rebuild_sparse_csr_tensor", AUDIT_NOTE, NULL }, { "torch._utils._rebuild_tensor", AUDIT_NOTE, NULL },
	{ "torch._utils._rebuild_tensor_v2", AUDIT_NOTE, NULL }, { "torch._utils._rebuild_tensor_v3", AUDIT_NOTE, NULL },
	{ "torch._utils._rebuild_wrapper_subclass", AUDIT_NOTE, NULL }, { "torch._utils._rebuild_xla_tensor", AUDIT_NOTE, NULL },
	{ "torch.ao", AUDIT_NOTE, NULL }, { "torch.quantization", AUDIT_NOTE, NULL }, { "torch.distributions", AUDIT_NOTE, NULL },
	{ "torch.sparse", AUDIT_NOTE, NULL }, { "torch.amp", AUDIT_NOTE, NULL }, { "torch.functional", AUDIT_NOTE, NULL },
	{ "torch.PyTorchFileReader", AUDIT_DANGER, reads }, { "torch.PyTorchFileWriter", AUDIT_DANGER, reads },
	{ "torch.import_ir_module", AUDIT_DANGER, loads }, { "torch.import_ir_module_from_buffer", AUDIT_DANGER, loads },
	/* what Python 3 takes for modules of Python 2 (Lib/_compat_pickle.py) */
	{ "thread", AUDIT_DANGER, spawns }, { "_dummy_thread", AUDIT_DANGER, spawns }, { "dummy_thread", AUDIT_DANGER, spawns },
	{ "_multiprocessing", AUDIT_DANGER, spawns }, { "dbm", AUDIT_DANGER, reads }, { "gdbm", AUDIT_DANGER, reads }, { "anydbm", AUDIT_DANGER, reads },
	{ "whichdb", AUDIT_DANGER, reads }, { "dbhash", AUDIT_DANGER, reads }, { "dumbdbm", AUDIT_DANGER, reads }, { "_dbm", AUDIT_DANGER, reads },
	{ "_gdbm", AUDIT_DANGER, reads }, { "xmlrpclib", AUDIT_DANGER, talks }, { "BaseHTTPServer", AUDIT_DANGER, talks },
	{ "SimpleHTTPServer", AUDIT_DANGER, talks }, { "CGIHTTPServer", AUDIT_DANGER, talks }, { "SimpleXMLRPCServer", AUDIT_DANGER, talks },
	{ "DocXMLRPCServer", AUDIT_DANGER, talks }, { "SocketServer", AUDIT_DANGER, talks }, { "cookielib", AUDIT_DANGER, talks },
	{ "robotparser", AUDIT_DANGER, talks }, { "_winreg", AUDIT_DANGER, runs }, { "execfile", AUDIT_DANGER, evaluates },
	{ "tkinter", AUDIT_DANGER, runs }, { "_tkinter", AUDIT_DANGER, runs }, { "Tkinter", AUDIT_DANGER, runs }, { "cgi", AUDIT_DANGER, talks },
	{ "wsgiref", AUDIT_DANGER, talks },
	{ "torch.utils.hooks", AUDIT_NOTE, NULL }, { "torch.storage", AUDIT_NOTE, NULL },
};

static const struct known *find(const char *name)
{
	const struct known *best = NULL;
	size_t longest = 0;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		size_t n = strlen(names[i].name);
		if (n <= longest || strncmp(name, names[i].name, n) != 0 || (name[n] != 0 && name[n] != '.'))
			continue;
		if (names[i].why == direct && name[n] && strchr(name + n + 1, '.'))
			continue;
		best = &names[i];
		longest = n;
	}
	return best;
}

/*
 * Python looks "a.b" up in a module attribute by attribute, and modules have the modules that they import: torch, "os.system".
 * A class in a class is harmless; another module on the way, or at the end, is not.
 */
static enum audit_level walks(const char *attribute, const char **why)
{
	enum audit_level level = AUDIT_NOTE;
	for (const char *part = attribute; part; ) {
		const char *dot = strchr(part, '.');
		const struct known *k = find(part);
		size_t n = strcspn(part, ".");
		bool special = n > 4 && strncmp(part, "__", 2) == 0 && strncmp(part + n - 2, "__", 2) == 0, lower = (*part >= 'a' && *part <= 'z') || *part == '_';
		if (special || (k && k->level == AUDIT_DANGER && !strchr(k->name, '.')) || (dot && lower)) {
			*why = "walks through attributes into another module";
			return AUDIT_DANGER;
		}
		level = dot ? AUDIT_REVIEW : level;
		part = dot ? dot + 1 : NULL;
	}
	if (level == AUDIT_REVIEW)
		*why = "is a part of a class";
	return level;
}

enum audit_level audit_global(const char *name, const char *attribute, const char **why)
{
	const struct known *best = find(name);
	*why = best ? best->why : "is not among the names that are known to be harmless";
	if (best && best->level == AUDIT_REVIEW && !best->why)
		*why = "can do more than hold data";
	enum audit_level level = best ? best->level : AUDIT_REVIEW;
	if (level == AUDIT_DANGER || !attribute || (best && strlen(best->name) == strlen(name)))
		return level;
	const char *walk = NULL;
	enum audit_level way = walks(attribute, &walk);
	if (way <= level)
		return level;
	*why = walk;
	return way;
}

static const struct known words[] = {
	{ "from_file", AUDIT_DANGER, reads }, { "ops.aten.save", AUDIT_DANGER, reads }, { "torch.save", AUDIT_DANGER, reads },
	{ "_reinterpret_tensor", AUDIT_DANGER, "looks at memory outside of a tensor" }, { "ops.inductor", AUDIT_DANGER, native },
	{ "as_strided", AUDIT_DANGER, "looks at memory outside of a tensor when its sizes are wrong" }, { "ops.rpc", AUDIT_DANGER, talks },
	{ "set_.source_Storage", AUDIT_DANGER, "replaces the memory of a tensor" }, { "_dlopen", AUDIT_DANGER, native },
};

const char *audit_code_word(size_t i, enum audit_level *level, const char **why)
{
	if (i >= sizeof words / sizeof *words)
		return NULL;
	*level = words[i].level;
	*why = words[i].why;
	return words[i].name;
}
