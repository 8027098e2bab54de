using Microsoft.DotNet.Interactive;
using NullTextResearch.Hosting;
using NullTextResearch.Interactive.Display;
using NullTextResearch.Inversion;

namespace NullTextResearch.Interactive.Tests
{
    /// <summary>Progress, and where it is shown.</summary>
    public sealed class DisplayTests
    {
        [Fact]
        public void Report_ManyTimes_UpdatesFewTimesAndAlwaysLast()
        {
            Clock clock = new();
            RecordingOutput output = new();
            LiveProgress progress = new("null-text inversion", output, clock);

            for (int step = 0; step < 50; step++)
            {
                for (int inner = 1; inner <= 10; inner++)
                {
                    clock.Advance(10);
                    progress.Report(new InversionProgress("null-text inversion", step, 50, inner, 1e-3 / (step + 1)));
                }
            }

            progress.Finish(ProgressEnd.Done);

            // 5 s at 4 a second, and the last.
            Assert.InRange(output.Updates.Count, 15, 22);
            Assert.Single(output.Shown);
            Assert.Equal("null-text inversion: step 49 of 50, loss 2.0e-05, done after 5.0 s", output.Updates[^1].ToString());
        }

        [Fact]
        public void Report_InTheMiddle_TellsStepLossAndRemainingTime()
        {
            Clock clock = new();
            RecordingOutput output = new();
            LiveProgress progress = new("edit", output, clock);
            for (int step = 1; step <= 10; step++)
            {
                clock.Advance(2000);
                progress.Report(new InversionProgress("edit", step, 40, 0, 1.5e-4));
            }

            ProgressView now = Assert.IsType<ProgressView>(output.Updates[^1]);

            // 9 steps of 2 s since the first report, 30 to go.
            Assert.Equal("edit: step 10 of 40, loss 1.5e-04, about 60 s left", now.ToString());
            Assert.Contains("width:25%", now.Render().ToHtml());
        }

        [Fact]
        public void Report_NewStage_ForgetsTheOldRate()
        {
            Clock clock = new();
            LiveProgress progress = new("x", new RecordingOutput(), clock);
            progress.Report(new InversionProgress("first", 1, 10, 0, 0.5));
            clock.Advance(1000);
            progress.Report(new InversionProgress("first", 5, 10));
            Assert.NotNull(progress.Now.Remaining);
            Assert.Equal(0.5, progress.Now.At!.Loss);

            progress.Report(new InversionProgress("second", 1, 10));

            Assert.Null(progress.Now.Remaining);
            Assert.Null(progress.Now.At!.Loss);
        }

        [Fact]
        public void Display_Console_PrintsPlainLines()
        {
            StringWriter text = new();
            Clock clock = new();
            LiveProgress progress = new("sweep", new ConsoleOutput(text), clock);
            progress.Part(2, 3, "w = 1");
            progress.Report(new InversionProgress("sampling", 3, 6));
            clock.Advance(1500);
            progress.Finish(ProgressEnd.Stopped);

            Assert.Equal("sweep: 2 of 3: w = 1, sampling, step 3 of 6, stopped after 1.5 s", text.ToString().Trim());
        }

        [Fact]
        public void Current_NoNotebook_IsTheConsole() => Assert.IsType<ConsoleOutput>(Output.Current);

        [Fact]
        public void Current_OurKernel_ShowsThereAndTakesItsToken()
        {
            using CancellationTokenSource stop = new();
            Host host = new(stop.Token);
            using IDisposable attached = Notebook.Attach(host);

            Action<object> update = Output.Current.Display("a");
            update("b");

            Assert.Equal(stop.Token, Output.Current.Cancellation);
            Assert.Equal(["show a", "update b"], host.Log);
        }

        [Fact]
        public void LoadPlotly_Twice_LeavesOneLoaderInTheNotebook()
        {
            Host host = new(CancellationToken.None);
            using IDisposable attached = Notebook.Attach(host);

            Workbench.LoadPlotly();
            Workbench.LoadPlotly();

            Assert.Equal(2, host.Values.Count);
            Assert.Contains("DecompressionStream", host.Values[1].Html());
            // The first became a remark.
            Assert.Contains("later cell", host.Values[0].Html());
            Assert.InRange(host.Values[1].Html().Length, 500_000, 1_800_000);
        }

        [Fact]
        public void TryFind_DotNetInteractive_DisplaysThroughTheInvocationContext()
        {
            Assert.Null(DotNetInteractiveOutput.TryFind(typeof(string).Assembly));
            using CancellationTokenSource stop = new();
            KernelInvocationContext.Current = new KernelInvocationContext(stop.Token);
            try
            {
                DotNetInteractiveOutput output = DotNetInteractiveOutput.TryFind(typeof(KernelInvocationContext).Assembly)!;
                Action<object> update = output.Display("a");
                update("b");

                Assert.Equal(["show a", "update b"], KernelInvocationContext.Current.Log);
                Assert.Equal(stop.Token, output.Cancellation);
            }
            finally
            {
                KernelInvocationContext.Current = null;
            }

            Assert.Null(DotNetInteractiveOutput.TryFind(typeof(KernelInvocationContext).Assembly));
        }

        private sealed class Clock : TimeProvider
        {
            private long _now = 1;

            public override long TimestampFrequency => 1000;

            public override long GetTimestamp() => _now;

            public void Advance(int milliseconds) => _now += milliseconds;
        }

        private sealed class Host(CancellationToken token) : INotebookHost
        {
            public List<string> Log { get; } = [];

            public List<Handle> Values { get; } = [];

            public string Name => "test";

            public CancellationToken Cancellation => token;

            public IDisplayHandle Display(object? value, params IReadOnlyList<string> mimeTypes)
            {
                Log.Add($"show {value}");
                Handle handle = new(this, value!);
                Values.Add(handle);
                return handle;
            }

            public void ClearOutput(bool wait = false) { }

            public string ReadLine(string prompt, bool hidden = false) => throw new InvalidOperationException();

            public sealed class Handle(Host host, object value) : IDisplayHandle
            {
                private object _value = value;

                public string Id => "1";

                public void Update(object? next)
                {
                    _value = next!;
                    host.Log.Add($"update {next}");
                }

                public string Html() => ((Rendering.IRendered)_value).Render().ToHtml()!;
            }
        }
    }

    /// <summary>Remembers what was shown.</summary>
    internal sealed class RecordingOutput(CancellationToken stop = default) : Output
    {
        public override CancellationToken Cancellation => stop;

        public List<object> Shown { get; } = [];

        public List<object> Updates { get; } = [];

        public override bool IsRich => true;

        public override Action<object> Display(object value)
        {
            Shown.Add(value);
            return Updates.Add;
        }
    }
}

namespace Microsoft.DotNet.Interactive
{
    /// <summary>Shaped like the type of that name in the last .NET Interactive, as far as it is used by reflection.</summary>
    public sealed class KernelInvocationContext(CancellationToken token)
    {
        public static KernelInvocationContext? Current { get; set; }

        public CancellationToken CancellationToken => token;

        public List<string> Log { get; } = [];
    }

    public static class KernelInvocationContextExtensions
    {
        public static DisplayedValue Display(this KernelInvocationContext context, object value, params string[] mimeTypes)
        {
            Assert.Empty(mimeTypes);
            context.Log.Add($"show {value}");
            return new DisplayedValue(context);
        }
    }

    public sealed class DisplayedValue(KernelInvocationContext context)
    {
        public void Update(object updatedValue) => context.Log.Add($"update {updatedValue}");
    }
}
