using Xunit.Sdk;
using Xunit.v3;

namespace NullTextResearch.TestKit;

/// <summary>
/// Test programs wait for each other: 'dotnet test' starts all of them at once, and ten programs, browsers and kernels on two processors take
/// longer together than one after the other, and run out of patience. The lock is a file of this checkout; it ends with the process.
/// </summary>
public sealed class OneAssemblyAtATime : ITestPipelineStartup
{
    private FileStream? _turn;

    /// <inheritdoc/>
    public async ValueTask StartAsync(IMessageSink diagnosticMessageSink)
    {
        // bin/Release/net10.0 of one of the tests.
        string path = Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "..", "..", "..", "..", ".one-at-a-time"));
        while (true)
        {
            try
            {
                _turn = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
                return;
            }
            catch (IOException) when (File.Exists(path))
            {
                await Task.Delay(200);
            }
        }
    }

    /// <inheritdoc/>
    public ValueTask StopAsync() => _turn?.DisposeAsync() ?? ValueTask.CompletedTask;
}
