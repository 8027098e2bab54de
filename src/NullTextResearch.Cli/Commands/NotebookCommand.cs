using System.CommandLine;
using System.CommandLine.Parsing;
using System.Diagnostics;
using NullTextResearch.Cli.Running;
using NullTextResearch.Kernel.Documents;
using NullTextResearch.Kernel.Installing;
using NullTextResearch.Text;

namespace NullTextResearch.Cli.Commands;

/// <summary><c>nulltext notebook</c>: opens Jupyter with our kernel.</summary>
internal static class NotebookCommand
{
    private static readonly string[] Verbs = ["install", "uninstall", "convert", "run"];
    private static readonly string[] Readable = [".ipynb", ".dib", ".cs", ".csx"];
    private static readonly string[] Writable = [".ipynb", ".html", ".dib"];

    public static Command Create()
    {
        Argument<string[]> files = new("files")
        {
            Description = "Notebooks or a folder to open (default: this folder); Jupyter options may follow.",
            Arity = ArgumentArity.ZeroOrMore,
        };
        Command command = new("notebook", "Open Jupyter with the C# kernel; install or remove the kernel; run or convert notebooks.") { files };
        command.TreatUnmatchedTokensAsErrors = false;
        CommandRunner.Handle(command, (parsed, context) => Open([.. parsed.GetValue(files) ?? [], .. parsed.UnmatchedTokens], context));
        command.Subcommands.Add(Install());
        command.Subcommands.Add(Uninstall());
        command.Subcommands.Add(Convert());
        command.Subcommands.Add(NotebookRunCommand.Create());
        return command.WithExamples(
            "nulltext notebook",
            "nulltext notebook notebooks/00-quickstart.ipynb",
            "nulltext notebook notebooks --no-browser --port 8899"
        );
    }

    private static Command Install()
    {
        Option<string?> name = new("--name")
        {
            Description = $"Name of the kernel (default: {KernelSpec.StandardName}, or {KernelSpec.OtherName} if another kernel has that name).",
        };
        Command command = new("install", "Install the kernel for this user, for JupyterLab, Notebook and VS Code.") { name };
        CommandRunner.Handle(
            command,
            (parsed, context) =>
            {
                KernelSpecPlace place = KernelSpec.Install(Program(), parsed.GetValue(name));
                context.Out.WriteLine($"The kernel '{place.Name}' is installed in {place.Folder}.");
                if (place.Taken is { } taken)
                {
                    // The name comes from someone else's file: the terminal must not interpret it.
                    context.Out.WriteLine(
                        $"The name '{KernelSpec.StandardName}', which notebooks refer to, belongs to another kernel, which was left alone: "
                            + $"{PrintableText.Clean(taken)}."
                    );
                    context.Out.WriteLine($"Choose '{place.MenuName}' in the kernel menu, or use 'nulltext notebook', which always uses ours.");
                }

                return CommandRunner.Done;
            }
        );
        return command.WithExamples("nulltext notebook install");
    }

    private static Command Uninstall()
    {
        Option<string?> name = new("--name") { Description = "Only this kernel (default: all of ours)." };
        Command command = new("uninstall", "Remove the kernel for this user.") { name };
        CommandRunner.Handle(
            command,
            (parsed, context) =>
            {
                IReadOnlyList<string> removed = KernelSpec.Uninstall(parsed.GetValue(name));
                foreach (string folder in removed)
                    context.Out.WriteLine($"Removed {folder}.");
                if (removed.Count == 0)
                    context.Out.WriteLine("No kernel of this program is installed for this user.");
                return CommandRunner.Done;
            }
        );
        return command.WithExamples("nulltext notebook uninstall");
    }

    private static void RequireEnding(ArgumentResult result, IReadOnlyList<string> endings)
    {
        if (result.Tokens.Count == 1 && !endings.Contains(Path.GetExtension(result.Tokens[0].Value), StringComparer.OrdinalIgnoreCase))
            result.AddError($"'{result.Tokens[0].Value}' has the wrong extension; expected one of: {string.Join(", ", endings)}.");
    }

    private static Command Convert()
    {
        Argument<string> from = new("from") { Description = ".ipynb, .dib, .cs or .csx" };
        Argument<string> to = new("to") { Description = ".ipynb, .html (a self-contained page), or .dib, which keeps no outputs" };
        Command command = new("convert", "Convert a notebook to another format.") { from, to };
        from.Validators.Add(result => RequireEnding(result, Readable));
        to.Validators.Add(result => RequireEnding(result, Writable));
        CommandRunner.Handle(
            command,
            (parsed, context) =>
            {
                NotebookDocument document = NotebookDocument.Load(parsed.GetValue(from)!);
                string target = parsed.GetValue(to)!;
                if (Path.GetExtension(target).Equals(".html", StringComparison.OrdinalIgnoreCase))
                    NotebookPage.Write(document, target);
                else
                    document.Save(target);
                context.Out.WriteLine($"{document.Cells.Count} cells written to {target}.");
                return CommandRunner.Done;
            }
        );
        return command.WithExamples("nulltext notebook convert notebooks/00-quickstart.ipynb quickstart.html");
    }

    private static int Open(IReadOnlyList<string> words, RunContext context)
    {
        // Jupyter takes any word for a file, and would silently open a folder instead.
        if (words.FirstOrDefault(w => !w.StartsWith('-') && !Path.Exists(w) && Spelling.Nearest(w, Verbs).Count > 0) is { } slip)
            throw new UsageException($"there is no file or command '{slip}'{Spelling.Hint(slip, Verbs)}");
        // Jupyter would open its browser first and complain there.
        foreach (string file in words.Where(w => w.EndsWith(".ipynb", StringComparison.OrdinalIgnoreCase)))
        {
            if (!File.Exists(file))
                throw new CommandException($"there is no notebook '{file}'.");
        }

        string? lab = JupyterPaths.OnPath("jupyter-lab");
        string? classic = JupyterPaths.OnPath("jupyter-notebook");
        if ((lab ?? classic) is not { } jupyter)
        {
            context.Error.WriteLine(
                """
                error: Jupyter was not found on the PATH. Install one of these, then run the same command again:
                  Debian, Ubuntu     sudo apt-get install --no-install-recommends jupyter-notebook
                  Python (any)       python3 -m pip install jupyterlab
                  Conda              conda install -c conda-forge jupyterlab
                Or use VS Code: install its 'Jupyter' extension, run 'nulltext notebook install', and choose the kernel '.NET (C#)'.
                """
            );
            return CommandRunner.Failed;
        }

        // Under its standard name for this server only, ahead of any other kernel of that name: nothing is installed.
        string data = Path.Combine(JupyterPaths.UserCache(), "jupyter");
        KernelSpec.Write(Path.Combine(data, "kernels", KernelSpec.StandardName), Program());
        ProcessStartInfo start = new(jupyter);
        foreach (string word in words)
            start.ArgumentList.Add(word);
        string? others = Environment.GetEnvironmentVariable("JUPYTER_PATH");
        start.Environment["JUPYTER_PATH"] = string.IsNullOrEmpty(others) ? data : $"{data}{Path.PathSeparator}{others}";
        using Process process = Process.Start(start) ?? throw new CommandException($"{jupyter} could not be started.");
        // The terminal sends Ctrl-C to Jupyter as well, which asks for confirmation and exits on its own.
        process.WaitForExit();
        return process.ExitCode == 0 ? CommandRunner.Done : CommandRunner.Failed;
    }

    private static string Program()
    {
        string library = Path.Combine(AppContext.BaseDirectory, "nulltext.dll");
        return File.Exists(library) ? library : Environment.ProcessPath ?? throw new CommandException("the path of this program is not known.");
    }
}
