# The Python side of sharing values with the notebook's other languages. Sent to the kernel when it starts; it lives in a
# module of its own, _nulltext, and leaves the user's names alone. Needs nothing but Python; numpy for arrays only.
import base64, datetime, decimal, json, keyword, math, os, reprlib, sys, threading, time, types, unicodedata, uuid

INLINE = 1 << 16
PIECE = 16 << 20
DEEPEST = 64
DTYPES = ["bool", "uint8", "int8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float16", "float32", "float64"]
NAMES = ["Boolean", "UInt8", "Int8", "Int16", "UInt16", "Int32", "UInt32", "Int64", "UInt64", "Float16", "Float32", "Float64"]


class ShareError(Exception):
    pass


class Answer:
    """Shown by IPython as exactly its text."""

    def __init__(self, value):
        self.text = json.dumps(value)

    def __repr__(self):
        return self.text

    def _repr_pretty_(self, printer, cycle):
        printer.text(self.text)


def namespace():
    return get_ipython().user_ns


def spelling(name):
    # Python's own, which takes fancy letters for the plain ones.
    return unicodedata.normalize("NFKC", name)


def numpy():
    try:
        import numpy
    except ImportError:
        raise ShareError("Arrays, tensors and pictures need numpy in Python, which is not installed there: apt install python3-numpy, or pip install numpy.") from None
    return numpy


# ---- from .NET ----

def take(text):
    """Sets a variable: {"name": ..., "value": ...}, or {"file": path} with the same inside."""
    message = json.loads(base64.b64decode(text))
    if "file" in message:
        with open(message["file"], "rb") as file:
            message = json.loads(file.read())
    name = spelling(message["name"])
    if not name.isidentifier() or keyword.iskeyword(name):
        raise ShareError("'%s' is not a valid variable name in Python." % name)
    namespace()[name] = decode(message["value"])
    return Answer(True)


def decode(value):
    if isinstance(value, list):
        return [decode(item) for item in value]
    if not isinstance(value, dict):
        return value
    kind, content = value["$"], value.get("v")
    return DECODERS[kind](content)


def decode_table(content):
    columns, rows = content["columns"], [[decode(item) for item in row] for row in content["rows"]]
    try:
        import pandas
    except ImportError:
        return [dict(zip(columns, row)) for row in rows]
    return pandas.DataFrame(rows, columns=columns)


def decode_array(content):
    np = numpy()
    array = np.empty(content["shape"], dtype=np.dtype(DTYPES[NAMES.index(content["dtype"])]).newbyteorder("<"))
    if array.nbytes:
        flat = memoryview(array.reshape(-1).view(np.uint8))
        with open(content["file"], "rb", buffering=0) as file:
            done = 0
            while done < len(flat):
                count = file.readinto(flat[done:done + PIECE])
                if not count:
                    raise ShareError("The array arrived incomplete: %d of %d bytes." % (done, len(flat)))
                done += count
    return array


DECODERS = {
    "float": float,
    "text": lambda v: base64.b64decode(v).decode("utf-16-le", "surrogatepass"),
    "decimal": decimal.Decimal,
    "complex": lambda v: complex(decode(v[0]), decode(v[1])),
    "bytes": base64.b64decode,
    "tuple": lambda v: tuple(decode(i) for i in v),
    "set": lambda v: set(decode(i) for i in v),
    "dict": lambda v: {decode(k): decode(i) for k, i in v},
    "datetime": datetime.datetime.fromisoformat,
    "date": datetime.date.fromisoformat,
    "time": datetime.time.fromisoformat,
    "timedelta": lambda v: datetime.timedelta(microseconds=v),
    "uuid": uuid.UUID,
    "table": decode_table,
    "array": decode_array,
}


# ---- to .NET ----

class Encoder:
    def __init__(self, name, folders, prefix):
        self.name, self.folders, self.prefix, self.files, self.notes, self.open = name, folders, prefix, 0, [], set()

    def encode(self, value, path, depth=0):
        if value is None or value is True or value is False:
            return value
        if depth > DEEPEST:
            raise ShareError("%s is nested more than %d deep." % (self.name, DEEPEST))
        kind = type(value)
        if isinstance(value, int) and not isinstance(value, bool):
            # In parts: Python refuses to write very long numbers at once.
            return int(value) if abs(int(value)) < 1 << 64 else {"$": "int", "v": hex(value)}
        if isinstance(value, float) and not self.module(kind, "numpy"):
            return float(value) if math.isfinite(value) else {"$": "float", "v": repr(float(value))}
        if isinstance(value, str) and not self.module(kind, "numpy"):
            try:
                value.encode("utf-8")
                return str(value)
            except UnicodeEncodeError:
                return {"$": "text", "v": base64.b64encode(value.encode("utf-16-le", "surrogatepass")).decode()}
        if isinstance(value, (bytes, bytearray, memoryview)):
            return {"$": "bytes", "v": base64.b64encode(bytes(value)).decode()}
        if isinstance(value, complex) and not self.module(kind, "numpy"):
            return {"$": "complex", "v": [self.encode(value.real, path), self.encode(value.imag, path)]}
        if isinstance(value, decimal.Decimal):
            return {"$": "decimal", "v": str(value)}
        if isinstance(value, datetime.datetime):
            return {"$": "datetime", "v": value.isoformat()}
        if isinstance(value, datetime.date):
            return {"$": "date", "v": value.isoformat()}
        if isinstance(value, datetime.time) and value.tzinfo is None:
            return {"$": "time", "v": value.isoformat()}
        if isinstance(value, datetime.timedelta):
            return {"$": "timedelta", "v": (value.days * 86400 + value.seconds) * 10 ** 6 + value.microseconds}
        if isinstance(value, uuid.UUID):
            return {"$": "uuid", "v": str(value)}
        if isinstance(value, (list, tuple, set, frozenset, dict)):
            if id(value) in self.open:
                raise ShareError("%s contains itself." % path)
            self.open.add(id(value))
            try:
                return self.container(value, path, depth + 1)
            finally:
                self.open.remove(id(value))
        return self.foreign(value, kind, path, depth)

    @staticmethod
    def module(kind, name):
        return kind.__module__ == name or kind.__module__.startswith(name + ".")

    def container(self, value, path, depth):
        if isinstance(value, dict):
            return {"$": "dict", "v": [[self.encode(k, path + "'s keys", depth), self.encode(v, "%s[%s]" % (path, reprlib.repr(k)), depth)] for k, v in value.items()]}
        items = [self.encode(item, "%s[%d]" % (path, i), depth) for i, item in enumerate(value)]
        return items if isinstance(value, list) else {"$": "tuple" if isinstance(value, tuple) else "set", "v": items}

    def foreign(self, value, kind, path, depth):
        # By name: what the user has not imported is not imported for him.
        if self.module(kind, "torch") and hasattr(value, "detach"):
            value = value.detach().cpu()
            if str(value.dtype) == "torch.bfloat16":
                value = value.float()
                self.notes.append("bfloat16, which numpy does not have, is passed on as float32: the same values in twice the memory")
            return self.array(value.resolve_conj().resolve_neg().numpy(), path, depth)
        if self.module(kind, "PIL") and hasattr(value, "convert"):
            return self.array(numpy().asarray(value.convert("RGB")), path, depth)
        if self.module(kind, "pandas"):
            if kind.__name__ == "DataFrame":
                columns = [str(c) for c in value.columns]
                rows = zip(*(self.column(value.iloc[:, i]) for i in range(len(columns))))
                return {"$": "table", "v": {"columns": columns, "rows": [[self.encode(v, "%s[%d]" % (path, i), depth + 1) for v in row] for i, row in enumerate(rows)]}}
            if kind.__name__ in ("Series", "Index", "RangeIndex"):
                return self.encode(value.to_numpy(), path, depth + 1)
            if kind.__name__ == "NAType" or kind.__name__ == "NaTType":
                return None
        if self.module(kind, "numpy"):
            np = numpy()
            if isinstance(value, np.ndarray):
                return self.array(value, path, depth)
            if isinstance(value, np.generic):
                if value.dtype.name in DTYPES:
                    return {"$": "number", "v": [NAMES[DTYPES.index(value.dtype.name)], base64.b64encode(value.astype(value.dtype.newbyteorder("<")).tobytes()).decode()]}
                item = value.item()
                if type(item) is not kind:
                    return self.encode(item, path, depth + 1)
        raise ShareError("%s is a %s.%s, which cannot be shared. Numbers, strings, bytes, dates, lists, tuples, sets, dictionaries, numpy arrays, torch tensors, PIL images and pandas tables can: convert it to one of these first." % (path, kind.__module__, kind.__qualname__))

    @staticmethod
    def column(series):
        # Not a number stays what it is; what is missing in texts, dates and nullable numbers is None.
        return series.tolist() if series.dtype.kind == "f" else series.astype(object).where(series.notna(), None).tolist()

    def array(self, array, path, depth):
        np = numpy()
        if array.dtype.kind in "OUS":
            return self.encode(array.tolist(), path, depth + 1)
        if array.dtype.name not in DTYPES:
            raise ShareError("%s is an array of %s; arrays of %s can be shared. Convert it first: %s.astype('float64')." % (path, array.dtype, ", ".join(DTYPES), self.name))
        file = self.write(lambda file: self.copy(np, array, file), array.nbytes)
        return {"$": "array", "v": {"dtype": NAMES[DTYPES.index(array.dtype.name)], "shape": list(array.shape), "file": file}}

    @staticmethod
    def copy(np, array, file):
        # In pieces, so that an array whose elements do not lie one after the other needs no second copy of its own.
        little = array.dtype.newbyteorder("<")
        if array.ndim == 0 or array.size == 0 or array.flags.c_contiguous and array.dtype == little:
            pieces = [array]
        else:
            rows = max(1, PIECE // max(1, array.nbytes // array.shape[0]))
            pieces = (array[i:i + rows] for i in range(0, array.shape[0], rows))
        for piece in pieces:
            piece = np.ascontiguousarray(piece, dtype=little)
            if piece.size:
                flat = memoryview(piece.reshape(-1).view(np.uint8))
                done = 0
                while done < len(flat):
                    done += file.write(flat[done:done + PIECE])

    def write(self, fill, size):
        problem = None
        for folder in self.folders:
            path = os.path.join(folder, "%s-%d" % (self.prefix, self.files))
            self.files += 1
            try:
                descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0), 0o600)
                with open(descriptor, "wb", buffering=0) as file:
                    fill(file)
                return path
            except OSError as e:
                problem = e
                try:
                    os.unlink(path)
                except FileNotFoundError:
                    pass
        raise ShareError("There is no room to pass %d bytes: %s. Free some space there." % (size, problem))


def give(name, folders, prefix):
    """A variable's value, its arrays in files."""
    values, name = namespace(), spelling(name)
    if name not in values:
        near = ", ".join(sorted(n for n, _ in visible())[:20])
        raise ShareError("There is no variable '%s' in Python. There are: %s." % (name, near or "none"))
    encoder = Encoder(name, folders, prefix)
    answer = {"value": encoder.encode(values[name], name), "note": "; ".join(sorted(set(encoder.notes))) or None}
    text = json.dumps(answer).encode()
    if len(text) > INLINE:
        answer = {"file": encoder.write(lambda file: [file.write(memoryview(text)[i:i + PIECE]) for i in range(0, len(text), PIECE)], len(text))}
    return Answer(answer)


# ---- what there is ----

def visible():
    """What the user has made, without modules, functions and classes."""
    shell, nothing = get_ipython(), object()
    code = (types.ModuleType, types.FunctionType, types.BuiltinFunctionType, type)
    # A copy: threads of the user may add names meanwhile.
    for name, value in list(shell.user_ns.items()):
        if not name.startswith("_") and value is not shell.user_ns_hidden.get(name, nothing) and not isinstance(value, code):
            yield name, value


SHORT = reprlib.Repr()
SHORT.maxstring = SHORT.maxother = SHORT.maxlong = 80
SHORT.maxlist = SHORT.maxtuple = SHORT.maxset = SHORT.maxfrozenset = SHORT.maxdict = 8


def short(value):
    try:
        shape = getattr(value, "shape", None)
        if isinstance(shape, tuple) or type(shape).__name__ == "Size":
            return "%s [%s]" % (getattr(value, "dtype", type(value).__name__), ", ".join(map(str, shape)))
        text = SHORT.repr(value)
    except Exception as e:
        # The user's own code said no; the others are still worth listing.
        text = "(%s)" % type(e).__name__
    text = " ".join(text.split())
    return text if len(text) <= 80 else text[:77] + "..."


def variables():
    return Answer([[name, type(value).__qualname__ if type(value).__module__ == "builtins" else "%s.%s" % (type(value).__module__, type(value).__qualname__), short(value)] for name, value in sorted(visible())])


def number(count):
    """The next cell is this one: tracebacks, In and Out then name the notebook's cells."""
    shell = get_ipython()
    if count > shell.execution_count:
        for log in (shell.history_manager.input_hist_parsed, shell.history_manager.input_hist_raw):
            log.extend([""] * (count - len(log)))
        shell.execution_count = count


def lives(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def follow(notebook):
    # ipykernel looks whether its parent is process 1; orphans may get another one (systemd, containers). Where a script
    # started us, the notebook is not our parent, and where it is in another container, it has another number here.
    parent, seen = os.getppid(), lives(notebook)
    while os.getppid() == parent and not (seen and not lives(notebook)):
        time.sleep(1)
    os._exit(1)


def install():
    module = types.ModuleType("_nulltext", "Shares values with the notebook's other languages.")
    module.take, module.give, module.variables, module.number = take, give, variables, number
    sys.modules["_nulltext"] = module
    # A stop between the saving of a cell and its being counted makes IPython print a database error into the next cell. Nobody would read that
    # history: the notebook keeps its cells.
    history = get_ipython().history_manager
    if history is not None:
        history.enabled = False
    if os.name == "posix":
        threading.Thread(target=follow, args=(PARENT,), name="nulltext parent", daemon=True).start()


install()
