using System.Runtime.InteropServices;
using NullTextResearch.Diffusion;
using NullTextResearch.Hub;
using NullTextResearch.Training;
using NullTextResearch.Weights;

namespace NullTextResearch.Cli.Running;

/// <summary>Turns exceptions into messages for the person at the terminal.</summary>
internal static class ErrorText
{
    /// <summary>Whether the message says what to do; any other exception is a bug in the program.</summary>
    public static bool IsKnown(Exception e) =>
        e
            is ModelFormatException
                or CheckpointMismatchException
                or NotFiniteException
                or TrainingDivergedException
                or ArgumentException
                and not ArgumentNullException
                or IOException
                or UnauthorizedAccessException
                or OutOfMemoryException
                or CommandException
        || IsKnownElsewhere(e)
        || IsOutOfMemory(e)
        || IsLibtorchMissing(e);

    /// <summary>The message, one or two lines.</summary>
    public static string Of(Exception e)
    {
        if (IsDiskFull(e))
            return $"the disk is full ({FirstLine(WithoutParameter(e))}). Free some space or choose another --out; complete results are intact, "
                + "and the same command resumes.";
        if (IsOutOfMemory(e))
            return $"out of memory ({FirstLine(e.Message)}). Lower the image size, the number of images or --threads, give --precision bf16, "
                + "--checkpointing, --offload or --vae-tile 32, or close other programs.";
        if (IsLibtorchMissing(e))
            return $"libtorch could not be loaded ({FirstLine((e.InnerException ?? e).Message)}). 'nulltext doctor' says what is missing.";
        if (e is UnauthorizedAccessException)
            return $"{e.Message} Choose a location that you may write to, or change its permissions.";
        if (IsKnown(e))
            return WithoutParameter(e);
        return $"{e.GetType().Name}: {FirstLine(e.Message)}";
    }

    /// <summary>No space, an exhausted quota, or a file size limit, which the runtime reports as an invalid argument.</summary>
    public static bool IsDiskFull(Exception e) => Disk.IsFull(e);

    // Exceptions of projects that this file need not reference: the messages of the library's own types say what to try.
    private static bool IsKnownElsewhere(Exception e) => e.GetType().Namespace?.StartsWith("NullTextResearch", StringComparison.Ordinal) == true;

    private static bool IsOutOfMemory(Exception e) =>
        e is OutOfMemoryException || (e is ExternalException && e.Message.Contains("memory", StringComparison.OrdinalIgnoreCase));

    private static bool IsLibtorchMissing(Exception e) =>
        e is DllNotFoundException || (e is TypeInitializationException { TypeName: var name } && name.Contains("TorchSharp", StringComparison.Ordinal));

    /// <summary>The message without the "(Parameter 'x')" that ArgumentException adds: it means nothing to a person at a terminal.</summary>
    public static string WithoutParameter(Exception e) =>
        e is ArgumentException { ParamName: { Length: > 0 } name } ? e.Message.Replace($" (Parameter '{name}')", "", StringComparison.Ordinal) : e.Message;

    private static string FirstLine(string text) => text.Split('\n', 2)[0].TrimEnd();
}

/// <summary>A refusal by a command; the message says what to do instead.</summary>
internal class CommandException(string message) : Exception(message);

/// <summary>An invalid command line; the message says what is expected. The exit code is that of a command line that cannot be parsed.</summary>
internal sealed class UsageException(string message) : CommandException(message);
