using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Runtime.InteropServices;

namespace NullTextResearch.Cli.Running;

/// <summary>Shared by all commands: options, threads, Ctrl-C, actionable error messages, exit codes.</summary>
internal static class CommandRunner
{
    /// <summary>Everything was done.</summary>
    public const int Done = 0;

    /// <summary>The command failed; stderr says why.</summary>
    public const int Failed = 1;

    /// <summary>The command line was not understood.</summary>
    public const int Misused = 2;

    /// <summary>Stopped by Ctrl-C (128 + SIGINT, as in shells).</summary>
    public const int Cancelled = 130;

    /// <summary>Parser settings: a word that begins with '@' is an ordinary word, not a response file.</summary>
    public static ParserConfiguration Parsing { get; } = new() { ResponseFileTokenReplacer = null };

    private static readonly Option<int?> ThreadsOption = new("--threads")
    {
        Description =
            "CPU threads (default: $NULLTEXT_THREADS, else a number that suits the model's size: 1 for sd-mini, all processors for Stable Diffusion).",
        Recursive = true,
    };

    private static readonly Option<bool> DebugOption = new("--debug") { Description = "On failure, print the stack trace.", Recursive = true };

    /// <summary>Adds the options that all commands have.</summary>
    public static void AddSharedOptions(RootCommand root)
    {
        ThreadsOption.Validators.Add(result =>
        {
            if (
                result.Tokens.Count == 1
                && int.TryParse(result.Tokens[0].Value, NumberStyles.Integer, CultureInfo.InvariantCulture, out int threads)
                && threads is < 1 or > 1024
            )
                result.AddError($"--threads is {threads}; give 1 to 1024.");
        });
        root.Options.Add(ThreadsOption);
        root.Options.Add(DebugOption);
    }

    /// <summary>Sets the action of a command, which runs on the calling thread.</summary>
    public static void Handle(Command command, Func<ParseResult, RunContext, int> work) => command.SetAction(parsed => Run(parsed, work));

    /// <summary>Parses and runs a command line.</summary>
    public static int Invoke(RootCommand root, string[] args)
    {
        ParseResult parsed = root.Parse(args, Parsing);
        // A completion request or a request for help is only half a command line.
        bool isQuestion = parsed.Tokens.Any(t => t.Type == TokenType.Directive) || (parsed.Action is HelpWithExamples && parsed.UnmatchedTokens.Count == 0);
        IReadOnlyList<string> mistakes = isQuestion ? [] : Misuse.Of(parsed);
        // The runner handles signals itself: the library would end the process after two seconds, in the middle of a step.
        if (mistakes.Count == 0)
            return parsed.Invoke(new InvocationConfiguration { ProcessTerminationTimeout = null, EnableDefaultExceptionHandler = false });
        foreach (string message in mistakes)
            Console.Error.WriteLine($"error: {message}");
        return Misunderstood(parsed);
    }

    private static int Misunderstood(ParseResult parsed)
    {
        Console.Error.WriteLine($"'{Misuse.PathOf(parsed.CommandResult.Command)} --help' shows its arguments and options.");
        return Misused;
    }

    private static int Run(ParseResult parsed, Func<ParseResult, RunContext, int> work)
    {
        using CancellationTokenSource cancel = new();
        void OnSignal(PosixSignalContext signal)
        {
            // The second signal goes through to the system and ends the process at once.
            if (cancel.IsCancellationRequested)
                return;
            signal.Cancel = true;
            cancel.Cancel();
        }

        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal);
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal);
        RunContext context = new(Console.Out, Console.Error, cancel.Token, Threads(parsed));
        try
        {
            if (Native.EnsureLoaded() is { Mode: NativeLoadMode.Failed } native)
                context.Error.WriteLine($"warning: libtorch: {native.Detail} (see 'nulltext doctor')");
            else
                context.ApplyThreads();
            return work(parsed, context);
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            Console.Error.WriteLine(context.Kept is { } kept ? $"cancelled; {kept}" : "cancelled; nothing was written.");
            return Cancelled;
        }
        catch (UsageException e)
        {
            Console.Error.WriteLine($"error: {e.Message}");
            return Misunderstood(parsed);
        }
        // The one place that catches everything: the person at the terminal is the last caller.
        catch (Exception e)
        {
            Console.Error.WriteLine($"error: {ErrorText.Of(e)}");
            if (parsed.GetValue(DebugOption))
                Console.Error.WriteLine(e);
            else if (!ErrorText.IsKnown(e))
                Console.Error.WriteLine("This looks like a bug in the program: run it again with --debug and report its output.");
            return Failed;
        }
    }

    /// <summary>Threads requested by option or environment variable; null if neither is set.</summary>
    public static int? Threads(ParseResult parsed) => parsed.GetValue(ThreadsOption) ?? ProcessorThreads.Asked;
}
